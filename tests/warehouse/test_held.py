"""What is known is held while a folder is loaded: the same is committed as when every file reads it anew."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.office import NOW, ORG, P1, P2, P2B, Office, pay
from warehouse import held
from warehouse.ingest import load
from warehouse.store import Store

P3 = "V3,1,市财政局,2025-02-10,30201,办公费,一般公共预算财政拨款,基本支出-公用,7"
FILES = [
    pay(P1, P2),
    pay(P3),
    pay(P1, P2B),  # changes V2
    pay(P1),  # takes V2 back
    pay(P1, P2.replace(",200", ",二百")),  # a faulty row takes nothing back
    pay(P1, P2),  # brings V2 again
    pay(P3.replace(",7", ",8")),
]


def loaded(folder: Path) -> list[Any]:
    """The outcome of one load of all files: the counts of each, and every row that stands or stood."""
    folder.mkdir()
    office = Office(folder)
    assert office.hand_in("组织机构.csv", ORG).status == "committed"
    paths = []
    for number, text in enumerate(FILES):
        paths.append(folder / f"支付{number}.csv")
        paths[-1].write_text(text, encoding="utf-8")
    reports = load(office.store, paths, clock=lambda: NOW + dt.timedelta(hours=1))
    return [[(report.status, dict(report.counts)) for report in reports], rows(office.store)]


def rows(store: Store) -> list[Any]:
    """The digest of each segment: the same bytes, the same rows."""
    return [(segment.path, segment.rows, segment.sha256) for segment in store.control.segments()]


def test_files_loaded_together_come_to_the_same_held_or_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = loaded(tmp_path / "held")
    taken = [(counts["accepted"], counts["removed"], counts["quarantined"]) for _, counts in together[0]]
    assert taken == [(2, 0, 0), (1, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0, 0), (1, 0, 0)]
    monkeypatch.setattr(held, "MOST_HELD", 0)
    assert loaded(tmp_path / "anew") == together
