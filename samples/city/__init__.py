"""The simulated city: export files as an office would receive them, and the truth beside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def write(
    out: Path, *, seed: int = 1, months: int = 34, units: int = 60, truth: Path | None = None,
    handed_over: Callable[[], None] = lambda: None,
) -> None:  # fmt: skip
    """Write the city's files and manifest to `out` and the expected answers to `truth` (default `out`.truth.json).

    `handed_over` is called between the two: the files are complete then, and the answers are still to be worked out.
    """
    from samples.city.manifest import write_manifest
    from samples.city.office import outbox, simulate
    from samples.city.organisation import indented, names_of
    from samples.city.sheets import write_export
    from samples.city.truth_file import write_truth

    world = simulate(seed, months, units)
    exports = outbox(world)
    out.mkdir(parents=True, exist_ok=True)
    full, short = names_of(world.city)
    below = indented(world.city)
    for export in exports:
        write_export(export, out, short if export.form.short_names else full, below)
    write_manifest(out, exports)
    handed_over()
    write_truth(truth or out.with_name(f"{out.name}.truth.json"), world, exports)
