"""The wheel lists its packages by name; a folder that is not listed would be missing for everybody but us."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOP = ("assets", "callbacks", "cockpit", "metrics", "pages", "samples", "warehouse")
CARRIED = {".py", ".toml", ".csv", ".sql", ".parquet", ".txt", ".css", ".js", ".mako"}


def test_every_folder_that_holds_something_is_in_the_wheel() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    folders = [folder for top in TOP for folder in (ROOT / top, *(ROOT / top).rglob("*")) if folder.is_dir()]
    filled = {
        ".".join(folder.relative_to(ROOT).parts)
        for folder in folders
        if folder.name != "__pycache__" and any(file.suffix in CARRIED for file in folder.iterdir())
    }
    assert sorted(filled - set(listed)) == []
    assert sorted(set(listed) - filled) == []
