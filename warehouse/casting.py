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
    return f"try_cast({number} * CAST('{factor:f}' AS DECIMAL({wide},{scale})) AS {column.sql_type})"


def _plain_number(cell: str, sql_type: str) -> str:
    grouped = f"CASE WHEN regexp_matches(trim({cell}), '{_GROUPED}') THEN try_cast(replace({cell}, ',', '') AS {sql_type}) END"
    return f"coalesce(try_cast({cell} AS {sql_type}), {grouped})"


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
