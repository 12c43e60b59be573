"""Make a store from a sample in one go: write the exports to a scratch folder, load them, publish."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import samples


def main(name: str, store: str) -> int:
    """Write the sample's exports, load them through the ordinary command, keep the truth file beside the store.

    The files are loaded while the truth, which nothing waits for, is still being worked out.
    """
    target = Path(store)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="cockpit-") as scratch:
        exports = Path(scratch) / name
        truth = target.parent / f"{target.name}.truth.json"
        loading: list[subprocess.Popen[bytes]] = []

        def load() -> None:
            print("Loading them, publishing the figures; then projections, warnings, first snapshot …", flush=True)
            command = [sys.executable, "-m", "cockpit", "load", str(exports), "--store", store, "--work"]
            loading.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))

        print(f"Writing the exported files of sample '{name}' …", flush=True)
        samples.write(name, exports, truth=truth, handed_over=load)
        done = loading[0].wait()
    return 0 if done in (0, 1) else done


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
