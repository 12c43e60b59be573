"""Header cells found in real Chinese tables: each rendered as an xlsx with its merged cells and as a GBK csv, and read back.

The annotation knows four kinds of cells. Column attributes and column indexes name what stands below them: these are
what a reader of columns must find. Row attributes and row indexes name what stands beside them and are not looked for;
one in a header row (the corner) counts neither way.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xlsxwriter

from benchmarks.report import Line
from warehouse.contracts import load_contracts, normalise_label
from warehouse.readers.faults import ReadRefused
from warehouse.readers.labels import Aliases
from warehouse.readers.tables import outline

TABLES = "im_tqa_cn_tables/train_tables.json.gz"
KINDS = ("vertical", "horizontal", "hierarchical", "complex")
PREFACE = 2
"""Rows of title and unit above a table, in the rendering that has them."""

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Drawn:
    """A table of the corpus: its cells by place, and which of them are column headers or corners."""

    name: str
    kind: str
    boxes: Mapping[int, Box]
    texts: Mapping[int, str]
    headers: frozenset[int]
    others: frozenset[int]

    @property
    def is_held_out(self) -> bool:
        """Whether the table was put aside while the reader was written."""
        return bool(zlib.crc32(self.name.encode()) & 1)

    @property
    def width(self) -> int:
        """The number of columns."""
        return max(right for _, _, _, right in self.boxes.values()) + 1


@dataclass
class Score:
    """Header cells found, found wrongly and missed; captions are missed cells as wide as the table, titles to us."""

    right: int = 0
    wrong: int = 0
    missed: int = 0
    captions: int = 0
    tables: int = 0
    exact: int = 0
    fates: Counter[str] = field(default_factory=Counter)

    @property
    def precision(self) -> float:
        """The share of the found cells that are header cells."""
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        """The share of the header cells that were found."""
        return self.right / max(1, self.right + self.missed)

    def add(self, table: Drawn, found: frozenset[int], fate: str) -> None:
        """Count one table."""
        named = found - (table.others - table.headers)
        missed = table.headers - named
        self.right += len(named & table.headers)
        self.wrong += len(named - table.headers)
        self.missed += len(missed)
        self.captions += sum(
            1 for cell in missed if table.boxes[cell][3] - table.boxes[cell][1] + 1 >= table.width * 0.9
        )
        self.tables += 1
        self.exact += named == table.headers
        self.fates[fate] += 1


def read_corpus(path: Path) -> Iterator[Drawn]:
    """Give the annotated tables; a cell without text names nothing and is left out."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for item in json.load(file):
            yield _drawn(item)


def _drawn(item: Mapping[str, Any]) -> Drawn:
    boxes: dict[int, Box] = {}
    for row, cells in enumerate(item["cell_ID_matrix"]):
        for column, cell in enumerate(cells):
            top, left, bottom, right = boxes.get(cell, (row, column, row, column))
            boxes[cell] = (min(top, row), min(left, column), max(bottom, row), max(right, column))
    texts = {cell: item["chinese_cell_value_list"][cell].strip() for cell in boxes}
    named = [cell for cell in (*item["column_attribute"], *item["column_index"]) if texts.get(cell)]
    return Drawn(item["table_id"], item["table_type"], boxes, texts, frozenset(named), frozenset(item["row_attribute"]))


def knows() -> Aliases:
    """Tell whether a contract knows a label, as the loader asks."""
    known = frozenset(text for contract in load_contracts().values() for text in contract.labels)
    return lambda label: normalise_label(label) in known


def write_xlsx(table: Drawn, path: Path, preface: int = 0) -> None:
    """Write a table with its merged cells, below a title and a unit row where asked for."""
    with xlsxwriter.Workbook(path, {"strings_to_numbers": False, "strings_to_formulas": False}) as workbook:
        sheet = workbook.add_worksheet()
        plain = workbook.add_format()
        if preface:
            sheet.write_string(0, 0, "附表：明细情况")
            sheet.write_string(1, table.width - 1, "单位：元")
        for cell, (top, left, bottom, right) in table.boxes.items():
            if (top, left) != (bottom, right):
                sheet.merge_range(top + preface, left, bottom + preface, right, table.texts[cell], plain)
            elif table.texts[cell]:
                _write(sheet, top + preface, left, table.texts[cell])


def _write(sheet: Any, row: int, column: int, text: str) -> None:
    """A figure as a number, as a ledger has it."""
    plain = text.replace(",", "")
    if plain.replace(".", "", 1).removeprefix("-").isdecimal() and plain.isascii() and len(plain) <= 15:
        sheet.write_number(row, column, float(plain))
    else:
        sheet.write_string(row, column, text)


def write_csv(table: Drawn, path: Path, preface: int = 0) -> None:
    """Write a table as a spreadsheet saves it: a merged cell has its text in its first place only."""
    height = max(bottom for _, _, bottom, _ in table.boxes.values()) + 1
    grid = [[""] * table.width for _ in range(height)]
    for cell, (top, left, _, _) in table.boxes.items():
        grid[top][left] = table.texts[cell]
    above = [["附表：明细情况", *[""] * (table.width - 1)], [*[""] * (table.width - 1), "单位：元"]][:preface]
    quoted = (",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in (*above, *grid))
    path.write_bytes("\r\n".join((*quoted, "")).encode("gb18030"))


def found_in(table: Drawn, path: Path, aliases: Aliases, preface: int = 0) -> tuple[frozenset[int], str]:
    """The cells that stand in header rows of the tables read from a file, and what became of the file."""
    try:
        places = outline(path, aliases)
    except ReadRefused as refusal:
        return frozenset(), refusal.faults[0].code
    cells = (
        cell
        for cell, (top, left, _, _) in table.boxes.items()
        if table.texts[cell] and any(p.first <= top + preface <= p.last and p.left <= left <= p.right for p in places)
    )
    problem = next((place.problem for place in places if place.problem), None)
    return frozenset(cells), problem or (
        "1 table" if len(places) == 1 else f"{len(places)} tables" if places else "no table"
    )


def score(tables: Iterable[Drawn], folder: Path, form: str, preface: int = 0) -> dict[str, Score]:
    """Render every table, read it back and count, by kind of table and for all."""
    aliases = knows()
    path = folder / f"table.{form}"
    write = write_xlsx if form == "xlsx" else write_csv
    scores = {kind: Score() for kind in (*KINDS, "all")}
    for table in tables:
        write(table, path, preface)
        found, fate = found_in(table, path, aliases, preface)
        for kind in (table.kind, "all"):
            scores[kind].add(table, found, fate)
    return scores


def measure(data: Path, folder: Path) -> tuple[list[Line], list[str]]:
    """Return the scores of the held-out half as lines, and the whole table of scores as text."""
    tables = list(read_corpus(data / TABLES))
    lines, text = [], list[str]()
    for form, preface in (("xlsx", 0), ("csv", 0), ("xlsx", PREFACE), ("csv", PREFACE)):
        where = form + (" below a title and a unit row" if preface else "")
        for held_out in (False, True):
            half = [table for table in tables if table.is_held_out == held_out]
            scores = score(half, folder, form, preface)
            text += _rows(scores, where, "held out" if held_out else "developed on")
            if held_out and not preface:
                name = f"reading: header cells of {len(half)} unseen Chinese tables, {form}"
                lines += [
                    Line(f"{name}: precision", scores["all"].precision, unit=""),
                    Line(f"{name}: recall", scores["all"].recall, unit=""),
                ]
    return lines, text


def _rows(scores: Mapping[str, Score], where: str, half: str) -> Sequence[str]:
    return [
        f"| {where} | {half} | {kind} | {s.tables} | {s.precision:.3f} | {s.recall:.3f} | {s.exact} | {s.right} "
        f"| {s.wrong} | {s.missed} | {s.captions} | {_fates(s.fates)} |"
        for kind, s in scores.items()
    ]


def _fates(fates: Counter[str]) -> str:
    return ", ".join(f"{fate} {count}" for fate, count in fates.most_common(5))
