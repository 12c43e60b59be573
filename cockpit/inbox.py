"""The watched inbox: what lies there and is complete, and where it goes when it was taken.

A file counts as complete when two looks find it the same; names that copying programs give to unfinished files are
passed over. A sub-folder names who hands in; one with a manifest is a delivery and is taken as a whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cockpit.inbox_reports import trouble
from warehouse.base.errors import CockpitError

DONE, REFUSED = "done", "refused"
MANIFEST = "manifest.toml"
ACTOR = "inbox"
"""Who hands in what lies in the folder itself."""
UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".download", ".filepart", ".swp", ".lock")
EMPTY_LOOKS = 20
"""Looks an empty file is waited for: a copy begins with one."""

Mark = tuple[tuple[str, int, int, int], ...]
"""Name, size, time of change and inode of every file of a parcel."""


@dataclass(frozen=True)
class Parcel:
    """One thing to load: a file, or a folder with a manifest."""

    path: Path
    actor: str
    mark: Mark

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of the parcel."""
        return (self.path,) if self.path.is_file() else tuple(self.path / name for name, *_ in self.mark)


@dataclass
class Inbox:
    """A watched folder and what the last look found in it."""

    folder: Path
    seen: dict[Path, tuple[Mark, int]] = field(default_factory=dict)

    def complete(self) -> list[Parcel]:
        """Look once; return what has not changed since the look before."""
        found = {parcel.path: parcel for parcel in _parcels(self.folder)}
        still = {path: self._looks(parcel) for path, parcel in found.items()}
        self.seen = {path: (parcel.mark, still[path]) for path, parcel in found.items()}
        restless = {parcel.path.parent for path, parcel in found.items() if not still[path]}
        return [
            parcel
            for path, parcel in sorted(found.items())
            # a delivery of many files in one folder is one movement: it is waited for to end
            if still[path] and (path.parent == self.folder or path.parent not in restless) and self._is_ready(parcel)
        ]

    def _looks(self, parcel: Parcel) -> int:
        """Return how many looks in a row, after the first, found the parcel as it is."""
        mark, looks = self.seen.get(parcel.path, ((), -1))
        return looks + 1 if mark == parcel.mark else 0

    def _is_ready(self, parcel: Parcel) -> bool:
        if not parcel.mark:
            return False
        is_empty = any(size == 0 for _, size, _, _ in parcel.mark)
        return not is_empty or self.seen[parcel.path][1] >= EMPTY_LOOKS

    def place_for(self, parcel: Parcel, *, is_refused: bool) -> Path:
        """Return a free name for a parcel under done/ or refused/, below the folder of who handed it in."""
        folder = self.folder / (REFUSED if is_refused else DONE) / parcel.path.parent.relative_to(self.folder)
        folder.mkdir(parents=True, exist_ok=True)
        wanted, number = folder / parcel.path.name, 2
        while wanted.exists() or _reports(wanted)[0].exists():
            wanted = folder / f"{parcel.path.stem} ({number}){parcel.path.suffix}"
            number += 1
        return wanted

    def trouble(self) -> CockpitError | None:
        """Return why the folder cannot be used, None when it can."""
        if not self.folder.is_dir():
            return trouble("missing", folder=self.folder)
        try:
            for name in (DONE, REFUSED):
                (self.folder / name).mkdir(exist_ok=True)
                probe = self.folder / name / f".probe-{os.getpid()}"
                probe.touch()
                probe.unlink()
        except OSError as cause:
            return trouble("unwritable", folder=self.folder, reason=cause.strerror)
        return None


def _reports(place: Path) -> tuple[Path, Path]:
    """Return where the report of a parcel lies, for machines and for people."""
    return place.with_name(f"{place.name}.report.json"), place.with_name(f"{place.name}.report.txt")


def write_reports(place: Path, told: str, text: str) -> None:
    """Write what became of a parcel beside it."""
    for path, content in zip(_reports(place), (told, text), strict=True):
        temporary = path.with_name(f".{path.name}.tmp")
        temporary.write_text(content, encoding="utf-8")
        temporary.replace(path)


def _parcels(folder: Path) -> Iterator[Parcel]:
    """Give every file and every folder with a manifest, two levels deep."""
    for entry in _entries(folder):
        if entry.is_file():
            yield from _file(Path(entry.path), ACTOR)
        elif entry.name not in (DONE, REFUSED):
            yield from _of_sub_folder(Path(entry.path), entry.name)


def _of_sub_folder(folder: Path, actor: str) -> Iterator[Parcel]:
    if (folder / MANIFEST).is_file():
        yield _delivery(folder, ACTOR)
        return
    for entry in _entries(folder):
        path = Path(entry.path)
        if entry.is_file():
            yield from _file(path, actor)
        elif (path / MANIFEST).is_file():
            yield _delivery(path, actor)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """Return what may be taken; links are not followed out of the folder."""
    try:
        with os.scandir(folder) as found:
            return [one for one in found if not one.is_symlink() and is_finished(one.name)]
    except FileNotFoundError:
        return []


def is_finished(name: str) -> bool:
    """Tell whether a name is one that a finished file has."""
    return not name.startswith((".", "~$")) and not name.casefold().endswith((*UNFINISHED, "~"))


def _file(path: Path, actor: str) -> Iterator[Parcel]:
    if mark := _mark({path.name: path}):
        yield Parcel(path, actor, mark)


def _delivery(folder: Path, actor: str) -> Parcel:
    files = {str(p.relative_to(folder)): p for p in sorted(folder.rglob("*")) if p.is_file() and not p.is_symlink()}
    # an unfinished file anywhere in it: the delivery is still on its way
    unfinished = any(not is_finished(path.name) and not path.name.startswith(".") for path in files.values())
    return Parcel(folder, actor, () if unfinished else _mark(files))


def _mark(files: Mapping[str, Path]) -> Mark:
    marks = []
    for name, path in files.items():
        try:
            stat = path.stat()
        except FileNotFoundError:
            return ()
        marks.append((name, stat.st_size, stat.st_mtime_ns, stat.st_ino))
    return tuple(marks)
