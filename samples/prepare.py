"""Make a store from a sample in one go: write the exports to a scratch folder, load them, publish."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path


def main(name: str, store: str) -> int:
    """Write the sample's exports, load them through the ordinary command, keep the truth file beside the store."""
    target = Path(store)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="cockpit-") as scratch:
        exports = Path(scratch) / name
        truth = target.parent / f"{target.name}.truth.json"
        base = [sys.executable, "-m", "cockpit"]
        print(f"Writing the exported files of sample '{name}' …", flush=True)
        subprocess.run(
            [*base, "sample", name, "--out", str(exports), "--truth", str(truth)], check=True, stdout=subprocess.DEVNULL
        )
        print("Loading them and publishing the figures …", flush=True)
        done = subprocess.run([*base, "load", str(exports), "--store", store], check=False, stdout=subprocess.DEVNULL)
        print("Projections, warnings, first snapshot …", flush=True)
        subprocess.run([*base, "worker", "--once", "--store", store], check=True)
    return 0 if done.returncode in (0, 1) else done.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
