"""Every dimension a figure can be split by, and every value a source declares for it, has a name in both languages."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from callbacks import language
from callbacks.language import load_texts
from metrics.catalogue import load_catalogue
from metrics.model import UNIT_DIMS
from warehouse.contracts import Column, load_contracts

TEXTS = {code: load_texts(code) for code in ("zh", "en")}
CATALOGUE, CONTRACTS = load_catalogue(), load_contracts()


def columns() -> dict[str, list[Column]]:
    """Dimension → the columns it is read from: of the rows, else of a table looked up."""
    found: dict[str, list[Column]] = {}
    for source in CATALOGUE.sources.values():
        tables = [source.of, *(lookup.table for lookup in source.lookups)]
        for dim in source.dims:
            held = next((c for t in tables for c in CONTRACTS[t].all_columns if c.name == dim), None)
            assert held is not None, f"{source.name} has no column {dim}"
            found.setdefault(dim, []).append(held)
    for dim in UNIT_DIMS:
        found.setdefault(dim, []).extend(c for c in CONTRACTS["org_unit"].all_columns if c.name == dim)
    return found


COLUMNS = columns()


@pytest.mark.parametrize("code", TEXTS)
@pytest.mark.parametrize("dim", sorted(COLUMNS))
def test_a_dimension_and_its_declared_values_have_names(dim: str, code: str) -> None:
    texts = TEXTS[code]
    declared = {value for column in COLUMNS[dim] for value in column.values.values()}
    declared |= {"true", "false"} if any(column.type == "bool" for column in COLUMNS[dim]) else set()
    absent = [
        key for key in (f"dim.{dim}", *(f"value.{dim}.{value}" for value in sorted(declared))) if key not in texts
    ]
    assert absent == []


def test_a_file_of_names_never_says_a_key_of_another_file_again() -> None:
    for code in TEXTS:
        folder = Path(language.__file__).parent / "texts"
        keys = [
            key
            for path in folder.glob(f"{code}*.toml")
            for key, _ in language._flatten("", tomllib.loads(path.read_text(encoding="utf-8")))
        ]
        assert len(keys) == len(set(keys))
