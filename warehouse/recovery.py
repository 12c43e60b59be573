"""What the next writer clears away after one that was interrupted."""

from __future__ import annotations

from pathlib import Path

from warehouse.base.errors import StoreError
from warehouse.segment import MARK
from warehouse.store import Store


def recover(store: Store) -> None:
    """Remove what an interrupted writer left behind: temporary files and segments the log never acknowledged."""
    for leftover in (*store.tmp.glob("*"), *store.inbox.glob("*.tmp"), *store.generations.glob("*.tmp*")):
        leftover.unlink(missing_ok=True)
    named = {segment.path for segment in store.control.segments(replaced=True)}
    unnamed = [file for file in store.segments.glob("*/*") if str(file.relative_to(store.segments)) not in named]
    # only the batch that was being written can have left one; anything later was acknowledged by another log
    last = store.control.last()[0]
    following = f"{last + 1:08d}-"
    later = sorted(
        file.name for file in unnamed
        if not file.name.startswith(following) and not _is_partial(file) and not _is_spare(store, file, last)
    )  # fmt: skip
    if later:
        raise StoreError(
            f"The store {store.path} holds segments its control log does not know ({', '.join(later[:3])}): "
            "the log is probably an older copy.",
            "run: cockpit doctor; then restore the newer log or a whole backup",
        )
    for file in unnamed:
        file.unlink()


def _is_partial(file: Path) -> bool:
    return file.suffix != ".parquet"


def _is_spare(store: Store, file: Path, last: int) -> bool:
    """A history that a rebase was about to name is spare as long as all it should have replaced is there."""
    through = file.stem.rpartition("-")[2]
    if not file.name.startswith(MARK) or not through.isdigit() or int(through) > last:
        return False
    return all((store.segments / segment.path).is_file() for segment in store.control.segments())
