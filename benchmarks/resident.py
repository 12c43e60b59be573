"""Memory of a load at any size of file: a process of its own reads one csv and says how large it ever was."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks import loading
from benchmarks.report import Line
from warehouse.base.clock import system_clock
from warehouse.base.sql import quote
from warehouse.ingest import load
from warehouse.store import Store, connect

LIMIT_MB = 2_000.0


def peak_mb() -> float:
    """Return the most memory this process ever held, in MB of 10⁶ bytes.

    The kernel counts it anew when a program starts, unlike what a parent is told of a child.
    """
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (peak,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(peak.split()[1]) * 1024 / 1e6


def measure(folder: Path, rows: int) -> list[Line]:
    """Return the peak of a process that takes a csv of so many rows into a new store, and then all rows restated."""
    org, file, again = folder / "units.csv", folder / "payments.csv", folder / "restated.csv"
    org.write_text(loading.ORG, encoding="utf-8")
    if not file.is_file():
        loading.write_payments(file, rows)
    _restate(file, again)
    command = [sys.executable, "-m", "benchmarks.resident", str(folder / "resident"), *map(str, (org, file, again))]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    _, first, second = map(float, done.stdout.split())
    name = f"load: peak memory of a process that takes a csv of {rows:,} rows, {file.stat().st_size / 1e6:,.0f} MB"
    return [Line(name, first, LIMIT_MB, unit="MB"), Line(f"{name}, then each restated", second, LIMIT_MB, unit="MB")]


def _restate(file: Path, again: Path) -> None:
    """Write a payments file once more, each amount one higher."""
    amount = f'"{loading.HEAD[-1]}"'
    with connect(memory="1GB", spill=again.parent) as con:
        con.execute(
            f"""COPY (SELECT * REPLACE (CAST({amount} AS DECIMAL(18,2)) + 1 AS {amount})
            FROM read_csv({quote(str(file))}, all_varchar = true)) TO {quote(str(again))} (HEADER)"""
        )


def main() -> None:
    """Load files into a store, one after the other; print the peak after each."""
    store = Store(Path(sys.argv[1]))
    for name in sys.argv[2:]:
        (report,) = load(store, [Path(name)], clock=system_clock)
        if report.status != "committed":
            raise RuntimeError(f"the bench file was not taken: {report.message}")
        print(peak_mb(), flush=True)
    store.control.close()


if __name__ == "__main__":
    main()
