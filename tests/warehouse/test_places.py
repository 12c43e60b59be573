"""Where a store lies must not matter: names with quotes, blanks and the signs of patterns are names like any other."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pytest

from tests.fakes.office import ORG, P1, P2, P2B, pay
from warehouse.base.errors import StoreError
from warehouse.base.paths import one_file, these_files
from warehouse.ingest import load
from warehouse.publish import publish
from warehouse.store import Store

NOW = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)


def amounts(store: Store, *texts: str) -> list[str]:
    """Hand in the units and these payments, one a minute, and return the amounts known at the end."""
    for number, text in enumerate([ORG, *texts]):
        path = store.path.parent / f"{number}.csv"
        path.write_text(text, encoding="utf-8")
        moment = NOW + dt.timedelta(minutes=number)
        (report,) = load(store, [path], clock=lambda now=moment: now)
        assert report.status == "committed"
    publish(store, clock=lambda: NOW)
    generation = store.open_generation()
    found = generation.con.execute("SELECT amount FROM d_payment WHERE rec_to > 1000 ORDER BY voucher").fetchall()
    generation.close()
    return [str(row[0]) for row in found]


@pytest.mark.parametrize("name", ["the office's store", "a[1]*b"])
def test_a_store_may_lie_under_any_name(tmp_path: Path, name: str) -> None:
    """The second name is also a pattern that a neighbour's name fits: its figures must stay its own."""
    assert amounts(Store(tmp_path / "a1-b"), pay(P1.replace("100.50", "7")), pay(P1)) == ["100.50"]
    assert amounts(Store(tmp_path / name), pay(P1, P2), pay(P1, P2B)) == ["100.50", "250.00"]


def test_a_path_means_one_file(tmp_path: Path) -> None:
    names = ["a[1]", "a1", "a*", "a?", "a's", "{a}"]
    with duckdb.connect() as con:
        for place, name in enumerate(names):
            (tmp_path / name).mkdir()
            con.execute(f"COPY (SELECT {place} AS place) TO '{tmp_path / name / 'f'!s}'".replace("a's/", "a''s/"))
        files = [tmp_path / name / "f" for name in names]
        read = [con.execute(f"SELECT place FROM read_csv({one_file(file)})").fetchall() for file in files]
        assert read == [[(place,)] for place in range(len(names))]
        assert len(con.execute(f"SELECT place FROM read_csv({these_files(files)})").fetchall()) == len(names)


def test_a_name_the_database_cannot_write_below_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot lie in"):
        Store(tmp_path / "what?").create()
    assert list(tmp_path.iterdir()) == []
