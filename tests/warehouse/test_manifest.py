"""A manifest is read whole or refused with everything that is wrong with it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from warehouse.base.errors import RefusedInput
from warehouse.manifest import gather

NOW = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)


def folder(root: Path, name: str, manifest: str) -> Path:
    place = root / name
    place.mkdir()
    (place / "a.csv").write_text("x\n1\n", encoding="utf-8")
    (place / "manifest.toml").write_text(manifest, encoding="utf-8")
    return place


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        ('[file]\npath = "a.csv"\n', ["[[file]]"]),
        ("store = 3\n", ["[store]"]),
        ('file = "x"\n', ["[[file]]"]),
        ("file = [1]\n", ["[[file]]"]),
        ('[store]\ntimezone = "Mars/Base"\n[[file]]\npath = "b.csv"\nrecorded_at = "soon"\n', ["Mars", "b.csv", "soon"]),
        ('[store]\nfiscal_start = 13\n[[file]]\npath = "b.csv"\n', ["fiscal_start", "13", "b.csv"]),
        ('store = 3\n[[file]]\npath = "a.csv"\nsource = 4\nperiod_from = "x"\n', ["[store]", "source", "'x'"]),
    ],
)  # fmt: skip
def test_all_faults_come_together(tmp_path: Path, manifest: str, words: list[str]) -> None:
    with pytest.raises(RefusedInput) as told:
        gather([folder(tmp_path, "one", manifest)], None, None)
    assert all(word in told.value.message for word in words)


@pytest.mark.parametrize("key", ["origin", "currency", "timezone"])
def test_manifests_that_contradict_each_other_are_refused(tmp_path: Path, key: str) -> None:
    facts = {"origin": ("real", "simulated"), "currency": ("CNY", "EUR"), "timezone": ("Asia/Shanghai", "Europe/Kyiv")}
    places = [folder(tmp_path, f"f{n}", f'[store]\n{key} = "{value}"\n') for n, value in enumerate(facts[key])]
    with pytest.raises(RefusedInput, match=f"disagree on {key}"):
        gather(places, None, None)


def test_manifests_that_agree_or_keep_silent_go_together(tmp_path: Path) -> None:
    one = folder(tmp_path, "one", '[store]\norigin = "real"\nname_en = "A"\n[[file]]\npath = "a.csv"\n')
    two = folder(tmp_path, "two", '[[file]]\npath = "a.csv"\nrecorded_at = "2024-05-31"\n')
    found = gather([one, two], None, None)
    assert [delivery.path.parent.name for delivery in found.deliveries] == ["two", "one"]
    assert found.store == {"origin": "real", "name_en": "A"}


def test_options_beside_a_manifest_are_refused(tmp_path: Path) -> None:
    place = folder(tmp_path, "one", '[[file]]\npath = "a.csv"\n')
    with pytest.raises(RefusedInput, match="--recorded-at"):
        gather([place], None, NOW)
    with pytest.raises(RefusedInput, match="--source"):
        gather([place], "payment", None)
    assert gather([place / "a.csv"], "payment", NOW).deliveries[0].source == "payment"


def test_texts_are_no_tables(tmp_path: Path) -> None:
    for name in ("a.txt", "b.tsv", "c.CSV"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    found = gather([tmp_path], None, None)
    assert [(delivery.name, delivery.readable) for delivery in found.deliveries] == [
        ("a.txt", False), ("b.tsv", False), ("c.CSV", True)
    ]  # fmt: skip
