"""`make bench`: every speed the project promises, as ratios to a probe timed in the same run.

Heavy libraries are imported by the part that uses them: the first part watches the memory of its children, and a
child starts with its parent's peak.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

from benchmarks import sample
from benchmarks.report import Line

ROWS, LARGE_ROWS = 1_000_000, 10_000_000
GROWN_ROWS, PUBLISHED_ROWS = 100_000_000, 20_000_000


class Skipped(Exception):
    """Something a part needs is not on this machine."""


class Workshop:
    """A folder of its own, and the store of the city in it, built once when somebody needs it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def built(self) -> list[Line]:
        """What building the store took."""
        return sample.measure(self.folder / "city")

    @cached_property
    def store(self) -> Path:
        """The store with warnings and projections, as a running cockpit has it."""
        _ = self.built
        return self.folder / "city"

    def room(self, name: str) -> Path:
        """Return a new folder for one part."""
        place = self.folder / name
        place.mkdir()
        return place


def _sample(shop: Workshop) -> list[Line]:
    return shop.built


def _load(shop: Workshop) -> list[Line]:
    from benchmarks import loading

    return loading.measure(shop.room("load"), ROWS)


def _reading(shop: Workshop) -> list[Line]:
    from benchmarks import reading

    return reading.measure(shop.room("reading"))


def _load_large(shop: Workshop) -> list[Line]:
    from benchmarks import loading, resident

    few, many = shop.room("load"), shop.room("load-large")
    return [
        *loading.measure(few, ROWS),
        *loading.measure(many, LARGE_ROWS),
        *resident.measure(many, LARGE_ROWS),
    ]


def _query(shop: Workshop) -> list[Line]:
    from benchmarks import queries
    from warehouse.store import Store

    return queries.measure(Store(shop.store), dt.datetime.now(dt.UTC))


def _refresh(shop: Workshop) -> list[Line]:
    from benchmarks import serving

    return serving.measure_refresh(shop.store)


def _memory(shop: Workshop) -> list[Line]:
    from benchmarks import serving

    return serving.measure_memory(shop.store)


def _requests(shop: Workshop) -> list[Line]:
    from benchmarks import serving

    if shutil.which(serving.BROWSER) is None:
        raise Skipped("no Chromium here, `make browser` installs it")
    return serving.measure_requests(shop.store)


def _grown(shop: Workshop) -> list[Line]:
    from benchmarks import large

    return large.measure(shop.room("grown"), GROWN_ROWS)


def _published(shop: Workshop) -> list[Line]:
    from benchmarks import large

    return large.again(shop.room("publish"), PUBLISHED_ROWS)


def _indicators(shop: Workshop) -> list[Line]:
    from benchmarks import indicators

    return indicators.measure(shop.room("province"))


def _indicators_large(shop: Workshop) -> list[Line]:
    from benchmarks import indicators

    return indicators.measure(shop.room("nation"), indicators.LARGE_UNITS, large=True)


def _names(_: Workshop) -> list[Line]:
    from benchmarks import naming

    if not naming.records().is_file():
        raise Skipped(f"no data in {naming.records()}")
    return naming.measure(naming.records())


Part = Callable[[Workshop], list[Line]]
PARTS: dict[str, Part] = {
    "sample": _sample,
    "load": _load,
    "reading": _reading,
    "query": _query,
    "indicators": _indicators,
    "refresh": _refresh,
    "memory": _memory,
    "requests": _requests,
    "names": _names,
}
LARGE: dict[str, Part] = {
    "load": _load_large,
    "grown": _grown,
    "publish": _published,
    "indicators": _indicators_large,
}


def chosen(large: bool, only: Sequence[str] | None) -> dict[str, Part]:
    """Return the parts to run: all, or those named; the large run is about loading and a store grown large."""
    parts = PARTS | LARGE | ({} if large else PARTS)
    names = only or (LARGE if large else PARTS)
    return {name: parts[name] for name in parts if name in names}


def run(parts: dict[str, Part], folder: Path) -> tuple[list[Line], list[str]]:
    """Run the parts one after the other, print each line as it comes; return the lines and what was skipped."""
    shop, lines, skipped = Workshop(folder), [], []
    for name, part in parts.items():
        try:
            for line in part(shop):
                lines.append(line)
                print(line.text(), flush=True)
        except Skipped as fault:
            skipped.append(name)
            print(f"skip            {name}: {fault}", flush=True)
    return lines, skipped


def summary(lines: Iterable[Line], skipped: Sequence[str], seconds: float) -> str:
    """Return the last line of a run."""
    gates = [line for line in lines if line.limit is not None]
    missed = sum(not line.holds for line in gates)
    said = f"{len(gates) - missed} of {len(gates)} limits kept"
    left = f", skipped: {', '.join(skipped)}" if skipped else ""
    return f"{said}{left}; {seconds:.0f} s, {machine()}"


def machine() -> str:
    """Return how busy the machine is: what makes seconds, not ratios, incomparable."""
    return f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs"


def write(path: Path, lines: Iterable[Line]) -> None:
    """Keep the figures of a run; nothing is written unless asked for."""
    told = {
        "taken_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "lines": [asdict(line) | {"holds": line.holds} for line in lines],
    }
    path.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and return 1 when a limit is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--large",
        action="store_true",
        help=f"the limits of a store of {GROWN_ROWS:,} rows; alone unless --only names more",
    )
    names = list(PARTS | LARGE)
    parser.add_argument("--only", action="append", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--out", type=Path, help="also write the figures to this file, as JSON")
    args = parser.parse_args(argv)
    start = time.perf_counter()
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory(prefix="cockpit-bench-") as folder:
        lines, skipped = run(chosen(args.large, args.only), Path(folder))
    print(summary(lines, skipped, time.perf_counter() - start))
    if args.out:
        write(args.out, lines)
    return 0 if all(line.holds for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
