"""Sample data sets: two real ones and a simulated city, each written as the export files an office would have.

The package stands alone. The five packages of the cockpit never name a sample; `write` is called by name only.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

_NAMES = ("city", "gsa", "ua")


def names() -> tuple[str, ...]:
    """Return the names `write` accepts."""
    return _NAMES


def write(
    name: str,
    out: Path,
    *,
    seed: int = 1,
    months: int = 34,
    units: int = 60,
    truth: Path | None = None,
    data_root: Path | None = None,
    handed_over: Callable[[], None] = lambda: None,
) -> None:
    """Write one sample as export files with its manifest.

    `seed`, `months`, `units` and `truth` shape the simulated city; `data_root` is where the real data sets lie.
    `handed_over` is called when the files are complete; what must be answered about them may be written after it.
    """
    if name not in _NAMES:
        raise ValueError(f"Unknown sample '{name}'. Available: {', '.join(_NAMES)}.")
    module = import_module(f"samples.{name}")
    if name == "city":
        module.write(Path(out), seed=seed, months=months, units=units, truth=truth, handed_over=handed_over)
    else:
        module.write(Path(out), data_root)
        handed_over()
