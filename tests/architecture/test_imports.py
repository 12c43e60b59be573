"""The house holds: a package imports only what stands to its left, and nothing happens on import."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ORDER = ("warehouse", "metrics", "callbacks", "pages", "cockpit")
BAD_NAMES = {"utils", "helpers", "manager"}


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
    return names


@pytest.mark.parametrize("package", ORDER)
def test_a_package_imports_only_what_stands_to_its_left(package: str) -> None:
    right = set(ORDER[ORDER.index(package) + 1 :])
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(package)
        for name in imported(path)
        if name.split(".")[0] in right
    ]
    assert wrong == []


def test_the_base_imports_the_standard_library_only() -> None:
    allowed = set(sys.stdlib_module_names) | {"warehouse"}
    wrong = [
        f"{path.name} imports {name}"
        for path in modules("warehouse/base")
        for name in imported(path)
        if name.split(".")[0] not in allowed or (name.startswith("warehouse") and not name.startswith("warehouse.base"))
    ]
    assert wrong == []


@pytest.mark.parametrize("package", ["callbacks", "pages"])
def test_screens_ask_services_and_hold_no_statement(package: str) -> None:
    """What a screen needs of the database is asked of the store or of the metrics, where a number has one way."""
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in modules(package)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ("execute", "executemany", "sql")
    ]
    assert wrong == []


def test_samples_stand_alone() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules("samples")
        for name in imported(path)
        if name.split(".")[0] in ORDER and not name.startswith("warehouse.base")
    ]
    assert wrong == []


@pytest.mark.parametrize("package", ORDER)
def test_no_code_names_a_sample(package: str) -> None:
    samples = {"city", "gsa", "ua"}
    allowed = {"city"}  # a level of the organisation tree is called so too
    wrong = []
    for path in modules(package):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in samples - allowed:
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} '{node.value}'")
    assert wrong == []


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    wrong = [str(p.relative_to(ROOT)) for package in ORDER for p in modules(package) if p.stem in BAD_NAMES]
    assert wrong == []


def test_importing_everything_touches_no_file_and_no_network(tmp_path: Path) -> None:
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for package in ORDER
        for path in modules(package)
        if path.stem not in ("__init__", "__main__") and "migrations" not in path.parts
    ]
    script = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "import importlib, socket\n"
        "def refuse(*a, **k): raise SystemExit('an import opened a socket')\n"
        "socket.socket.connect = refuse\n"
        f"[importlib.import_module(n) for n in {names!r}]\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_fetched_from_outside() -> None:
    wrong = []
    for folder in (*ORDER, "assets"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".css", ".js", ".html") and ".min." not in path.name:
                text = path.read_text(encoding="utf-8")
                wrong += [f"{path.name}: {mark}" for mark in ("cdn.", "unpkg.com", "googleapis") if mark in text]
    assert wrong == []
