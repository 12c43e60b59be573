"""The simulated city as `make run` builds it: written, loaded and published, in seconds and at its peak of memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.report import Line

LIMIT_SECONDS = 60.0
IDLE_BELOW = 0.5
"""Running processes per CPU over the last minute under which a machine counts as idle."""


def measure(store: Path) -> list[Line]:
    """Build the store in processes of their own; seconds are a gate on an idle machine only, else for the record.

    The gate ends where the store names its generation: what the worker does with it afterwards is told beside it.

    The peak is that of the largest process. A child starts with its parent's peak, so this runs before anything large.
    """
    busy = load_per_cpu()
    start, since = time.perf_counter(), time.time()
    process = subprocess.Popen([sys.executable, "-m", "samples.prepare", "city", str(store)], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"the city sample was not built: exit code {process.returncode}")
    published = (store / "gen" / "CURRENT").stat().st_mtime - since
    return [
        in_time(published, busy),
        Line("sample: with its truth, projections, warnings and first snapshot", seconds, unit="s"),
        Line("sample: CPU of that, all processes", used.ru_utime + used.ru_stime, unit="s"),
        Line("sample: peak memory of the largest process", used.ru_maxrss * 1024 / 1e6, unit="MB"),
    ]


def in_time(seconds: float, busy: float) -> Line:
    """Return the line of the seconds, judged only where nothing else was running."""
    name = "sample: city written, loaded and published"
    if busy < IDLE_BELOW:
        return Line(name, seconds, LIMIT_SECONDS, unit="s")
    limit = f"limit {LIMIT_SECONDS:g} on an idle machine, here {busy:.1f} processes a CPU were running"
    return Line(f"{name} ({limit})", seconds, unit="s")


def load_per_cpu() -> float:
    """Return how many processes wanted each CPU over the last minute."""
    return os.getloadavg()[0] / (os.cpu_count() or 1)
