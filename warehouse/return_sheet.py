"""The return sheet: the rows that wait, as they were handed in, with why beside each wrong cell and room to correct it.

Every text is written as text: nothing a file holds is ever a formula, a link or a number here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from warehouse.contracts import Contract
from warehouse.crosstab import SEPARATOR, heading_of
from warehouse.layout import Layout
from warehouse.mapping import Mapped, column_of
from warehouse.quarantine import reason
from warehouse.readers.faults import ReadRefused
from warehouse.returns import Identity, as_written, refusal, words
from warehouse.template import LONGEST_LIST, LONGEST_NAME, NUMBER_FORMATS, Field, sheet_name
from warehouse.waiting import WaitingRow

Language = Literal["zh", "en", "both"]
MOST_LINES = 200_000
"""Lines of one sheet; more go on in the next, which a desktop can still open."""

MOST_FILES_NAMED = 5
FIXED = ("identity", "file", "place", "row", "why", "what")
WIDTHS = {"identity": 2, "file": 22, "place": 12, "row": 10, "why": 46, "what": 12}
KEY_FAULTS = ("duplicate_key", "duplicate_row", "span_overlaps")


@dataclass(frozen=True)
class Written:
    """What a return sheet holds: rows, and how many of them each of its sheets."""

    file: str
    rows: int
    sheets: Mapping[str, int]


@dataclass(frozen=True)
class Pane:
    """Rows of one source that stood under the same labels: one sheet of the workbook."""

    contract: Contract | None
    layout: Layout
    rows: Sequence[WaitingRow]

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The labels of the file; behind them the places of cells beyond the last label."""
        surplus = (name for row in self.rows for name in row.raw if name not in self.layout.names)
        return tuple(dict.fromkeys((*self.layout.names, *surplus)))

    @cached_property
    def mapped(self) -> Mapped | None:
        """Which label each column of the contract stands under; None when the contract knows them no more."""
        if self.contract is None:
            return None
        try:
            return self.layout.places(self.contract, self.rows[0].file)
        except ReadRefused:
            return None

    def fields(self) -> dict[str, Field]:
        """Return the column of the contract behind each label that has one."""
        if self.contract is None or self.mapped is None:
            return {}
        names = self.layout.names
        return {
            names[index]: Field(column_of(self.contract, name), names[index], "")
            for name, (index, _) in self.mapped.columns.items()
        }

    def labels_of(self, entry: Mapping[str, Any]) -> list[str]:
        """Return the labels a fault speaks of; none when it speaks of the row as a whole."""
        if entry["code"] == "long_row":
            return [label for label in self.labels if label not in self.layout.names]
        if (heading := heading_of(entry["column_name"] or "")[0]) is not None:
            return [name for name in self.layout.names if name.replace(SEPARATOR, " ") == heading]
        if self.contract is None or self.mapped is None:
            return []
        wanted = self._columns_of(self.contract, entry)
        found = self.mapped.columns.items()
        return [self.layout.names[i] for name, (i, _) in found if name in wanted or name.split(".")[-1] in wanted]

    def _columns_of(self, contract: Contract, entry: Mapping[str, Any]) -> set[str]:
        if entry["code"] in KEY_FAULTS:
            return {*contract.keys, entry["column_name"]}
        if entry["column_name"]:
            return {entry["column_name"]}
        expr = next((check.expr for check in contract.checks if check.code == entry["code"]), "")
        return set(re.findall(r"\w+", expr)) & {column.name for column in contract.columns}


def write_return_sheet(
    file: Path, rows: Sequence[WaitingRow], contracts: Mapping[str, Contract], store_id: str, *, lang: Language = "zh"
) -> Written:
    """Write the rows that wait into a workbook; raises RefusedInput when there is none, or none that can be read again."""
    if not rows:
        raise refusal("nothing")
    bare = [row for row in rows if row.layout is None]
    if len(bare) == len(rows):
        files = "、".join(sorted({row.file for row in bare})[:MOST_FILES_NAMED])
        raise refusal("no_layout", rows=len(bare), files=files)
    panes = list(_panes(rows, contracts))
    titles = _titles(panes)
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(file), options) as book:
        looks = Looks(book)
        _explain(book.add_worksheet(words()["sheet"]), looks, panes, titles)
        lists: dict[str, tuple[str, ...]] = {}
        for title, pane in zip(titles, panes, strict=True):
            _PaneWriter(book.add_worksheet(title), looks, pane, lists, lang).write(store_id)
        _write_lists(book, lists)
    return Written(
        str(file), sum(len(p.rows) for p in panes), {t: len(p.rows) for t, p in zip(titles, panes, strict=True)}
    )


def _panes(rows: Iterable[WaitingRow], contracts: Mapping[str, Contract]) -> Iterable[Pane]:
    groups: dict[tuple[Any, ...], list[WaitingRow]] = {}
    for row in rows:
        if row.layout is not None:
            groups.setdefault((row.dataset, row.layout.labels, row.layout.units, row.layout.unit_note), []).append(row)
    for (dataset, *_), group in groups.items():
        for at in range(0, len(group), MOST_LINES):
            part = group[at : at + MOST_LINES]
            yield Pane(contracts.get(dataset), part[0].layout, part)  # type: ignore[arg-type]


def _titles(panes: Sequence[Pane]) -> list[str]:
    """Return names of sheets: the title of the source, numbered where it has several."""
    given: list[str] = []
    for pane in panes:
        title = sheet_name(pane.contract) if pane.contract else pane.rows[0].dataset[:LONGEST_NAME]
        name, times = title, 2
        while name in given:
            name, times = f"{title[: LONGEST_NAME - 4]} {times}", times + 1
        given.append(name)
    return given


class Looks:
    """The looks of a workbook, each made once."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self._book = book
        head = {"bold": True, "border": 1, "text_wrap": True, "valign": "vcenter"}
        text = {"num_format": "@", "quote_prefix": True}
        self.head = book.add_format({**head, "bg_color": "#E8EEF7"})
        self.wrong_head = book.add_format({**head, "bg_color": "#FBE3D6", "font_color": "#A61B1B"})
        self.correct_head = book.add_format({**head, "bg_color": "#FFE699"})
        self.plain = book.add_format(text)
        self.wrong = book.add_format({**text, "bg_color": "#F8CBAD", "font_color": "#9C0006", "border": 1})
        self.told = book.add_format({"font_color": "#7A7A7A", "num_format": "@", "quote_prefix": True})
        self.why = book.add_format({"font_color": "#A61B1B", "text_wrap": True, "valign": "top", "num_format": "@"})
        self.choice = book.add_format({"bg_color": "#FFF8DC", "num_format": "@"})
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.words = book.add_format({"text_wrap": True, "valign": "top"})
        self._rooms: dict[str, Format] = {}

    def room(self, field: Field | None) -> Format:
        """The look of a cell to be filled in, with the number format of its column."""
        column = field.column if field else None
        pattern = "@" if column is None else NUMBER_FORMATS.get(column.type, "General" if column.is_number else "@")
        if pattern not in self._rooms:
            self._rooms[pattern] = self._book.add_format({"bg_color": "#FFF2CC", "border": 1, "num_format": pattern})
        return self._rooms[pattern]


class _PaneWriter:
    """Writes one sheet, line by line: a large one is never held."""

    def __init__(
        self, sheet: Worksheet, looks: Looks, pane: Pane, lists: dict[str, tuple[str, ...]], lang: Language
    ) -> None:
        self.sheet, self.looks, self.pane, self.lists, self.lang = sheet, looks, pane, lists, lang
        self.fields = pane.fields()
        self.heads = words()["heads"]
        wrong = {label for row in pane.rows for entry in _open(row) for label in pane.labels_of(entry)}
        self.columns: list[tuple[str, str]] = [(name, "") for name in FIXED]
        for label in pane.labels:
            self.columns.append(("cell", label))
            if label in wrong:
                self.columns += [("correction", label), ("reason", label)]

    def write(self, store_id: str) -> None:
        """Write the sheet."""
        sheet, looks = self.sheet, self.looks
        sheet.freeze_panes(1, len(FIXED))
        sheet.set_row(0, 32)
        wrong = {label for kind, label in self.columns if kind == "correction"}
        for at, (kind, label) in enumerate(self.columns):
            hidden = {"hidden": True} if kind == "identity" else {}
            sheet.set_column(at, at, WIDTHS.get(kind, 30 if kind == "reason" else 14), None, hidden)
            named = self.pane.layout.heads.get(label, label)
            head = named if kind == "cell" else self.heads[kind] + named
            look = looks.correct_head if kind in ("correction", "what") else looks.head
            sheet.write_string(0, at, head, looks.wrong_head if kind == "cell" and label in wrong else look)
        for number, row in enumerate(self.pane.rows, 1):
            self._write_row(number, row, Identity.of(row, store_id).text)
        sheet.autofilter(0, 0, len(self.pane.rows), len(self.columns) - 1)
        for at, (kind, label) in enumerate(self.columns):
            self._offer(at, kind, label)

    def _write_row(self, number: int, row: WaitingRow, identity: str) -> None:
        reasons: dict[str, list[str]] = {}
        whole: list[str] = []
        for entry in _open(row):
            labels = self.pane.labels_of(entry)
            said = self._reason(entry, labels)
            whole += [said] if said not in whole else []
            for label in labels:
                reasons.setdefault(label, []).append(said)
        told = {"identity": identity, "file": row.file, "place": row.sheet, "row": str(row.row_no)}
        for at, (kind, label) in enumerate(self.columns):
            if kind == "cell":
                look = self.looks.wrong if label in reasons else self.looks.plain
                self._text(number, at, as_written(row.raw.get(label)), look)
            elif kind == "correction":
                if label in reasons:
                    self.sheet.write_blank(number, at, None, self.looks.room(self.fields.get(label)))
            elif kind == "reason":
                self._text(number, at, "\n".join(reasons.get(label, ())), self.looks.why)
            elif kind == "why":
                self._text(number, at, "\n".join(whole), self.looks.why)
            elif kind == "what":
                self.sheet.write_blank(number, at, None, self.looks.choice)
            else:
                self._text(number, at, as_written(told[kind]), self.looks.told)

    def _text(self, number: int, at: int, text: str, look: Format) -> None:
        if text:
            self.sheet.write_string(number, at, text, look)
        elif look is self.looks.wrong:
            self.sheet.write_blank(number, at, None, look)

    def _reason(self, entry: Mapping[str, Any], labels: Sequence[str]) -> str:
        languages = ("zh", "en") if self.lang == "both" else (self.lang,)
        label = labels[0] if entry["column_name"] and len(labels) == 1 else None
        return "\n".join(as_written(reason(self.pane.contract, entry, language, label)) for language in languages)

    def _offer(self, at: int, kind: str, label: str) -> None:
        """Offer what may be chosen: what shall be done with a line, and the values the contract knows."""
        field = self.fields.get(label)
        if kind == "what":
            choices: tuple[str, ...] = tuple(words()["decisions"].values())
        elif kind == "correction" and field is not None and field.choices:
            choices = field.choices
        else:
            return
        said = words()["list_error"]
        rule = {
            "validate": "list", "source": self._source(choices), "ignore_blank": True, "error_title": said["title"],
            "error_message": said["text"],
        }  # fmt: skip
        is_open = kind == "correction" and field is not None and field.column.open_values
        rule["error_type"] = "warning" if is_open else "stop"
        self.sheet.data_validation(1, at, len(self.pane.rows), at, rule)

    def _source(self, choices: tuple[str, ...]) -> list[str] | str:
        """A list as the cell holds it; a longer one stands on a hidden sheet."""
        if len(",".join(choices)) <= LONGEST_LIST and not any("," in choice for choice in choices):
            return list(choices)
        name = next((name for name, known in self.lists.items() if known == choices), None)
        if name is None:
            at = len(self.lists)
            letter = (chr(64 + at // 26) if at >= 26 else "") + chr(65 + at % 26)
            name = f"='{words()['choices']}'!${letter}$1:${letter}${len(choices)}"
            self.lists[name] = choices
        return name


def _open(row: WaitingRow) -> list[Mapping[str, Any]]:
    return [entry for entry in row.entries if entry["closed_by"] is None] or list(row.entries)


def _write_lists(book: xlsxwriter.Workbook, lists: Mapping[str, tuple[str, ...]]) -> None:
    if not lists:
        return
    sheet = book.add_worksheet(words()["choices"])
    for number in range(max(len(choices) for choices in lists.values())):
        for at, choices in enumerate(lists.values()):
            if number < len(choices):
                sheet.write_string(number, at, choices[number])
    sheet.hide()


def _explain(sheet: Worksheet, looks: Looks, panes: Sequence[Pane], titles: Sequence[str]) -> None:
    said, values = words()["explain"], words()["decisions"] | {"rows": sum(len(pane.rows) for pane in panes)}
    sheet.set_column(0, 0, 110, looks.words)
    lines: list[tuple[str, Format]] = []
    for name in ("title", "rows", "correct", "empty", "what", "keep", "back", "secret"):
        text = "\n".join(said[name][language].format(**values) for language in ("zh", "en"))
        lines.append((text, looks.title if name == "title" else looks.words))
    for title, pane in zip(titles, panes, strict=True):
        names = pane.contract.title if pane.contract else {"zh": pane.rows[0].dataset, "en": pane.rows[0].dataset}
        lines.append(
            (
                "\n".join(
                    said["source"][lang].format(sheet=title, title=names[lang], rows=len(pane.rows))
                    for lang in ("zh", "en")
                ),
                looks.words,
            )
        )
    for number, (text, look) in enumerate(lines):
        sheet.write_string(number, 0, text, look)
