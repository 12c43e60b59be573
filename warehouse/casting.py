"""Whole columns cast in SQL: what a clean text is worth, NULL for what only the value parser can take."""

from __future__ import annotations

from decimal import Decimal

from warehouse.contracts import Column

NULL_TEXTS = ("-", "--", "—", "——", "/", "无", "null", "NULL", "N/A", "NA", "\\N", "None")
_ODD_TEXT = "[\\x{FF01}-\\x{FF5E}\\x{3000}\\x{00A0}\\t\\n\\r]"
_SCIENTIFIC = "^[0-9](\\.[0-9]+)?[eE]\\+?[0-9]{2}$"
_GROUPED = "^[+-]?[0-9]{1,3}(,[0-9]{3})+(\\.[0-9]+)?$"
_MONTH = "^[12][0-9]{3}-[01][0-9](-[0-3][0-9])?$"


def cast_of(column: Column, index: int, factor: Decimal) -> str | None:
    """SQL that casts a clean text, NULL for what it cannot take; None when every text goes through the parser."""
    cell = f"r.c{index}"
    if column.is_org or column.values:
        return None
    if column.type == "text":
        return _plain_text(column, cell)
    if column.type == "date":
        return f"try_cast(trim({cell}) AS DATE)"
    if column.type == "datetime":
        return f"try_cast(trim({cell}) AS TIMESTAMP)"
    if column.type == "month":
        return (
            f"CASE WHEN regexp_matches(trim({cell}), '{_MONTH}') AND try_cast(trim({cell})[6:7] AS INTEGER) BETWEEN 1 AND 12"
            f" THEN CAST(trim({cell})[1:4] AS INTEGER) * 12 + CAST(trim({cell})[6:7] AS INTEGER) - 1 END"
        )
    if column.type == "year":
        return f"CASE WHEN regexp_matches(trim({cell}), '^[12][0-9]{{3}}$') THEN CAST(trim({cell}) AS INTEGER) END"
    if column.type == "bool":
        return None
    return _fast_number(column, cell, factor)


NOISE = Decimal("1e-9")
"""What a spreadsheet's binary figures add, relative to the figure; rounding no more than that is no change."""


def is_shift(factor: Decimal) -> bool:
    """Whether a unit only moves the point, so that digits lost afterwards were written in the file."""
    return factor.normalize().as_tuple().digits == (1,)


def _fast_number(column: Column, cell: str, factor: Decimal) -> str:
    """SQL for a number in the file's unit, brought to the stored unit without a float in between."""
    if column.type == "int":
        number = f"{_plain_number(cell, 'DECIMAL(28,6)')} * {factor:f}"
        return f"CASE WHEN {number} = trunc({number}) THEN try_cast({number} AS BIGINT) END"
    if factor == 1:
        return _plain_number(cell, column.sql_type)
    scale = max(0, -int(factor.as_tuple().exponent))
    digits = len(factor.as_tuple().digits) + max(0, int(factor.as_tuple().exponent))
    wide = max(digits, scale) + 1
    room = 38 - wide
    number = _plain_number(cell, f"DECIMAL({room},{min(10, room - 2)})")
    wide_number = f"({number} * CAST('{factor:f}' AS DECIMAL({wide},{scale})))"
    stored = f"try_cast({wide_number} AS {column.sql_type})"
    return f"CASE WHEN {_is_kept(wide_number, stored)} THEN {stored} END" if is_shift(factor) else stored


def _plain_number(cell: str, sql_type: str) -> str:
    bare = f"replace({cell}, ',', '')"
    grouped = f"CASE WHEN regexp_matches(trim({cell}), '{_GROUPED}') THEN {_digits(bare, sql_type)} END"
    return f"coalesce({_digits(cell, sql_type)}, {grouped})"


def _digits(text: str, sql_type: str) -> str:
    """SQL for a text of plain digits; powers of ten, underscores and digits that would be lost are for the parser."""
    stored = f"try_cast({text} AS {sql_type})"
    scale = int(sql_type.rstrip(")").rsplit(",", 1)[1])
    return (
        f"CASE WHEN contains({text}, 'e') OR contains({text}, 'E') OR contains({text}, '_') THEN NULL"
        f" WHEN position('.' IN {text}) BETWEEN 1 AND strlen({text}) - {scale + 1}"
        f" THEN CASE WHEN {_is_kept(f'try_cast({text} AS DOUBLE)', stored)} THEN {stored} END ELSE {stored} END"
    )


def _is_kept(exact: str, stored: str) -> str:
    """SQL whether the stored figure is the exact one but for noise; a float is only compared, never stored."""
    wide, narrow = f"CAST({exact} AS DOUBLE)", f"CAST({stored} AS DOUBLE)"
    return f"abs({wide} - {narrow}) <= {NOISE} * abs({wide})"


def _plain_text(column: Column, cell: str) -> str:
    """Text as it stands; a text with full-width signs or control blanks is odd. Pure ASCII needs no regular expression."""
    listed = ", ".join(f"'{text}'" for text in NULL_TEXTS)
    # only a short text can be one of the null texts, and only a text with a break or a tab below a space is odd
    ascii_odd = (
        f"contains({cell}, chr(9)) OR contains({cell}, chr(10)) OR starts_with({cell}, '#')"
        f" OR CASE WHEN strlen({cell}) <= 4 THEN {cell} IN ({listed}) ELSE FALSE END"
    )
    if column.is_key:
        ascii_odd += f" OR CASE WHEN contains({cell}, 'E') OR contains({cell}, 'e') THEN regexp_matches(trim({cell}), '{_SCIENTIFIC}') ELSE FALSE END"
    wide_odd = f"trim({cell}) IN ({listed}) OR regexp_matches({cell}, '{_ODD_TEXT}')"
    odd = f"CASE WHEN strlen({cell}) = length({cell}) THEN {ascii_odd} ELSE {wide_odd} END"
    return f"CASE WHEN {odd} THEN NULL ELSE nullif(trim({cell}), '') END"
