"""The scores of the readers on an excerpt of the public collections: a change that lowers them is seen at once."""

from __future__ import annotations

from itertools import islice

import pytest

from benchmarks import csvfiles, headers
from benchmarks.reading import DATA

DRAWN = headers.Drawn(
    "t", "hierarchical",
    {0: (0, 0, 1, 0), 1: (0, 1, 0, 2), 2: (1, 1, 1, 1), 3: (1, 2, 1, 2), 4: (2, 0, 2, 0), 5: (2, 1, 2, 1), 6: (2, 2, 2, 2)},
    {0: "项目", 1: "期末", 2: "账面", 3: "净值", 4: "备件", 5: "1,200.50", 6: ""}, frozenset({0, 1, 2, 3}), frozenset(),
)  # fmt: skip
"""
项目 | 期末
     | 账面 | 净值
备件 | 1,200.50 |
"""


@pytest.fixture(scope="module")
def data():
    if not (DATA / headers.TABLES).is_file() or not (DATA / csvfiles.FOLDER).is_dir():
        print("skipped: no data")
        pytest.skip("no data")
    return DATA


@pytest.mark.parametrize("form", ["xlsx", "csv"])
@pytest.mark.parametrize("preface", [0, headers.PREFACE])
def test_a_drawn_table_is_rendered_and_read_back(tmp_path, form, preface):
    scores = headers.score([DRAWN], tmp_path, form, preface)
    assert (scores["all"].right, scores["all"].wrong, scores["all"].missed) == (4, 0, 0)


def test_precision_and_recall_count_cells_and_leave_corners_out():
    """Of four header cells two are found, with one cell of data and one corner."""
    score = headers.Score()
    table = headers.Drawn("t", "vertical", DRAWN.boxes, DRAWN.texts, DRAWN.headers, frozenset({4}))
    score.add(table, frozenset({2, 3, 4, 5}), "1 table")
    assert (score.right, score.wrong, score.missed, score.exact) == (2, 1, 2, 0)
    assert (score.precision, score.recall) == (2 / 3, 0.5)


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_headers_of_real_tables_are_found(data, tmp_path, form):
    """Fifty tables of the kinds offices export; the whole collection gives 0.98 and more."""
    kinds = ("vertical", "hierarchical")
    tables = list(islice((t for t in headers.read_corpus(data / headers.TABLES) if t.kind in kinds), 50))
    found = headers.score(tables, tmp_path, form)["all"]
    assert found.tables == 50
    assert found.precision >= 0.97
    assert found.recall >= 0.95


@pytest.mark.parametrize(
    "part", ["broken", "error", "headers", "null", "rejects", "test", "unescaped_quotes", "encodings"]
)
def test_odd_csv_files_are_read_right_set_aside_or_refused(data, part):
    found = list(csvfiles.outcomes(data / csvfiles.FOLDER, part))
    assert found
    assert [one for one in found if one.kind == csvfiles.WRONG] == []


@pytest.mark.soak
def test_all_odd_csv_files_are_read_right_set_aside_or_refused(data):
    found = list(csvfiles.outcomes(data / csvfiles.FOLDER))
    assert len(found) > 900
    assert [one for one in found if one.kind == csvfiles.WRONG] == []
