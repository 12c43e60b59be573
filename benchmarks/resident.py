"""Memory of a load at any size of file: a process of its own reads one csv and says how large it ever was."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks import loading
from benchmarks.report import Line
from warehouse.base.clock import system_clock
from warehouse.ingest import load
from warehouse.store import Store

LIMIT_MB = 2_000.0


def peak_mb() -> float:
    """Return the most memory this process ever held, in MB of 10⁶ bytes.

    The kernel counts it anew when a program starts, unlike what a parent is told of a child.
    """
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (peak,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(peak.split()[1]) * 1024 / 1e6


def measure(folder: Path, rows: int) -> list[Line]:
    """Return the peak of a process that loads a csv of so many rows into a new store."""
    org, file = folder / "units.csv", folder / "payments.csv"
    org.write_text(loading.ORG, encoding="utf-8")
    if not file.is_file():
        loading.write_payments(file, rows)
    command = [sys.executable, "-m", "benchmarks.resident", str(folder / "resident"), str(org), str(file)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    name = f"load: peak memory of a process that takes a csv of {rows:,} rows, {file.stat().st_size / 1e6:,.0f} MB"
    return [Line(name, float(done.stdout), LIMIT_MB, unit="MB")]


def main() -> None:
    """Load files into a store, one after the other, and print the peak."""
    store = Store(Path(sys.argv[1]))
    for name in sys.argv[2:]:
        (report,) = load(store, [Path(name)], clock=system_clock)
        if report.status != "committed":
            raise RuntimeError(f"the bench file was not taken: {report.message}")
    store.control.close()
    print(peak_mb())


if __name__ == "__main__":
    main()
