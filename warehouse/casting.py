"""Whole columns cast in SQL: what a clean text is worth, NULL for what only the value parser can take.

A text is clean when its shape leaves no doubt. Everything else is odd and goes to the parser once per distinct text,
so a cast here may refuse what it likes but must never give another value than the parser.
"""

from __future__ import annotations

from decimal import Decimal

from warehouse.contracts import Column

NULL_TEXTS = ("-", "--", "—", "——", "/", "无", "null", "NULL", "N/A", "NA", "\\N", "None")

# no shape is longer than it must be: each is one automaton run over the text
_HAN = "\\x{4E00}-\\x{9FFF}"
_TAIL = f"[!-~{_HAN}]*( [!-~{_HAN}]+)*"
_TEXT = f"[0-9A-MO-WYZa-mo-wyz]{_TAIL}|[nN][!-~{_HAN}]{{4}}{_TAIL}|[{_HAN}][!-~{_HAN}]{{2}}{_TAIL}"
"""Printable, one blank at a time, and too long or of another beginning than the words for nothing (n/a, 暂无, xxx)."""

_EXPONENT = "[0-9][0-9.]*[eE][+]?[0-9]+"
_DATE = "[12][0-9]{3}[-/][0-9]{1,2}[-/][0-9]{1,2}"
_MOMENT = f"{_DATE}[ T][0-9]{{1,2}}:[0-9]{{2}}(:[0-9]{{2}})?"
_MONTH = "[12][0-9]{3}-(0[1-9]|1[0-2])"
_YEAR = "(19|20|21)[0-9]{2}"
_WHOLE = "[+-]?[0-9]{1,18}"
_GROUPED = "[+-]?[0-9]{1,3}(,[0-9]{3})+"


def cast_of(column: Column, index: int, factor: Decimal) -> str | None:
    """SQL that casts a clean text, NULL for what it cannot take; None when every text goes through the parser."""
    cell = f"r.c{index}"
    if column.is_org or column.type == "bool":
        return None
    if column.values:
        return _listed(column, cell)
    if column.is_number:
        return _number(column, cell, factor)
    casts = {
        "text": (_TEXT, cell),
        "date": (_DATE, f"try_cast({cell} AS DATE)"),
        "datetime": (_MOMENT, f"try_cast({cell} AS TIMESTAMP)"),
        "month": (_MONTH, f"CAST({cell}[1:4] AS INTEGER) * 12 + CAST({cell}[6:7] AS INTEGER) - 1"),
        "year": (_YEAR, f"CAST({cell} AS INTEGER)"),
    }
    shape, value = casts[column.type]
    if column.type == "text" and column.is_key:
        value = f"CASE WHEN {cell} < ':' AND regexp_full_match({cell}, '{_EXPONENT}') THEN NULL ELSE {value} END"
    return f"CASE WHEN regexp_full_match({cell}, '{shape}') THEN {value} END"


def _listed(column: Column, cell: str) -> str:
    """The values of a list by their exact spellings; the first of two equal ones counts."""
    spellings: dict[str, str] = {}
    for shown, value in column.values.items():
        spellings.setdefault(shown, value)
        spellings.setdefault(value, value)
    cases = " ".join(f"WHEN {quote(text)} THEN {quote(value)}" for text, value in spellings.items())
    return f"CASE {cell} {cases} END"


def quote(text: str | None) -> str:
    """Return a text as an SQL literal."""
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"


NOISE = Decimal("1e-9")
"""What a spreadsheet's binary figures add, relative to the figure; rounding no more than that is no change."""


def is_shift(factor: Decimal) -> bool:
    """Whether a unit only moves the point, so that digits lost afterwards were written in the file."""
    return factor.normalize().as_tuple().digits == (1,)


def _number(column: Column, cell: str, factor: Decimal) -> str | None:
    """SQL for a number in the file's unit, brought to the stored unit without a float in between."""
    if column.type == "int":
        return _whole(cell) if factor == 1 else None
    if factor == 1:
        return _decimal(cell, *column.digits)
    scale = max(0, -int(factor.as_tuple().exponent))
    digits = len(factor.as_tuple().digits) + max(0, int(factor.as_tuple().exponent))
    wide = max(digits, scale) + 1
    room = 38 - wide
    number = _decimal(cell, room, min(10, room - 2))
    wide_number = f"({number} * CAST('{factor:f}' AS DECIMAL({wide},{scale})))"
    stored = f"try_cast({wide_number} AS {column.sql_type})"
    return f"CASE WHEN {_is_kept(wide_number, stored)} THEN {stored} END" if is_shift(factor) else stored


def _whole(cell: str) -> str:
    return (
        f"CASE WHEN regexp_full_match({cell}, '{_WHOLE}') THEN CAST({cell} AS BIGINT)"
        f" WHEN regexp_full_match({cell}, '{_GROUPED}') THEN try_cast(replace({cell}, ',', '') AS BIGINT) END"
    )


def _decimal(cell: str, precision: int, scale: int) -> str:
    """SQL for digits the type keeps, with or without groups of three, and for digits that are only a float's noise."""
    sql_type = f"DECIMAL({precision},{scale})"
    stored = f"try_cast({cell} AS {sql_type})"
    part = f"([.][0-9]{{1,{scale}}})?"
    return (
        f"CASE WHEN regexp_full_match({cell}, '[+-]?[0-9]+{part}') THEN {stored}"
        f" WHEN regexp_full_match({cell}, '{_GROUPED}{part}') THEN try_cast(replace({cell}, ',', '') AS {sql_type})"
        f" WHEN regexp_full_match({cell}, '[+-]?[0-9]+[.][0-9]+')"
        f" THEN CASE WHEN {_is_kept(f'try_cast({cell} AS DOUBLE)', stored)} THEN {stored} END END"
    )


def _is_kept(exact: str, stored: str) -> str:
    """SQL whether the stored figure is the exact one but for noise; a float is only compared, never stored."""
    wide, narrow = f"CAST({exact} AS DOUBLE)", f"CAST({stored} AS DOUBLE)"
    return f"abs({wide} - {narrow}) <= {NOISE} * abs({wide})"


def value_or_default(column: Column, value: str) -> str:
    """SQL of a value, or of what the contract says a blank one means."""
    if column.default is None:
        return value
    default = str(column.default in ("是", "true", "yes", "1")) if column.type == "bool" else quote(column.default)
    return f"coalesce({value}, CAST({default} AS {column.sql_type}))"
