"""Control totals: what a sheet says its columns add up to (合计), compared with what was read from its rows.

A total is never a row of data, but it is the office's own word on whether the rows are all there. A difference is
told with the load; it sets nothing aside, because nobody can say which row is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import duckdb

from warehouse.base.sql import quote
from warehouse.contracts import Column, Contract
from warehouse.mapping import Mapped, column_of
from warehouse.meanings import Meanings
from warehouse.readers.faults import Fault
from warehouse.readers.messages import message
from warehouse.readers.raw import Cells, RawTable
from warehouse.readers.rows import LEADING_CELLS, is_sum_word

SLACK_TEN_THOUSANDS = Decimal(500)
"""0.05 万元 in yuan: figures written in 万元 may miss their total by so much (the tolerance offices work with)."""
_TEN_THOUSAND = Decimal(10_000)


@dataclass(frozen=True)
class TotalGap:
    """A total that its rows do not add up to; both figures in the stored unit of the column."""

    file: str
    sheet: str
    row_no: int
    label: str
    stated: Decimal
    own: Decimal

    def texts(self) -> dict[str, str]:
        """Return the sentence in both languages."""
        stated, own = f"{self.stated.normalize():f}", f"{self.own.normalize():f}"
        fault = Fault("total_gap", self.file, self.sheet or None, self.row_no, self.label, stated, own)
        return {lang: message(fault, lang) for lang in ("zh", "en")}


def total_gaps(
    con: duckdb.DuckDBPyConnection, contract: Contract, sheets: Sequence[tuple[RawTable, Mapped]], meanings: Meanings
) -> list[TotalGap]:
    """Compare every plain total row of the staged file with its rows: all of the table, or those since the last total."""
    found: list[TotalGap] = []
    for number, (table, mapped) in enumerate(sheets):
        ends = [0, *(row for row, _ in table.totals)]
        plain = [(row, end, cells) for (row, cells), end in zip(table.totals, ends, strict=False) if _is_plain(cells)]
        gaps = [
            gap
            for name in mapped.columns
            for gap in _gaps_of(con, contract, number, table, mapped, meanings, name, plain)
        ]
        found += sorted(gaps, key=lambda gap: gap.row_no)
    return found


def _is_plain(cells: Cells) -> bool:
    """A bare 合计, 小计 or 总计; 其中 and numbered sections sum over rows nobody can point to."""
    return any(is_sum_word(cell) for cell in [cell for cell in cells if cell][:LEADING_CELLS])


def _gaps_of(
    con: duckdb.DuckDBPyConnection, contract: Contract, number: int, table: RawTable, mapped: Mapped,
    meanings: Meanings, name: str, totals: Sequence[tuple[int, int, Cells]],
) -> list[TotalGap]:  # fmt: skip
    """Return the totals of one column its rows do not add up to; `totals` are rows, each with the total before it."""
    (index, factor), column = mapped.columns[name], column_of(contract, name)
    if not column.is_number or column.unit is None:
        return []
    written = [(row, since, text) for row, since, cells in totals if (text := _cell(cells, index))]
    sums = _sums(con, contract, number, name, [(row, since) for row, since, _ in written]) if written else {}
    found = []
    for row, _, text in written if sums else ():
        stated = meanings.of(column, text, mapped.units[name], factor)
        if stated.value is None or stated.fault:
            continue
        figure, slack = Decimal(stated.value), _slack(column, text, factor, table.rows)
        if all(abs(figure - own) > slack for own in sums[row]):
            found.append(TotalGap(table.file, table.sheet, row, table.labels[index], figure, sums[row][0]))
    return found


def _cell(cells: Cells, index: int) -> str:
    return (cells[index] or "").strip() if index < len(cells) else ""


def _sums(
    con: duckdb.DuckDBPyConnection, contract: Contract, number: int, name: str, places: Sequence[tuple[int, int]]
) -> dict[int, tuple[Decimal, ...]]:
    """Return for the row of each total the sums it may mean: the whole table, the rows above it, those since the last
    total. One look for all of them: a sheet may hold thousands. Empty when a row's figure in the column could not be
    read, so that no sum is known."""
    group, _, measure = name.rpartition(".")
    where = f"sheet_no = {number}"
    if group and contract.unpivot:
        where += f' AND "{contract.unpivot.dimension}" = {quote(group)}'
    unread = (
        f"SELECT count(*) FROM faults WHERE sheet_no = {number} AND column_name IN ({quote(name)}, {quote(measure)})"
    )
    if (con.execute(unread).fetchone() or (0,))[0]:
        return {}
    found = con.execute(
        f"""WITH totals AS (SELECT unnest($1::BIGINT[]) AS at, unnest($2::BIGINT[]) AS since),
        lines AS (SELECT row_no::BIGINT AS row_no, sum("{measure}") AS own FROM staged WHERE {where} GROUP BY row_no),
        running AS (SELECT row_no, sum(own) OVER (ORDER BY row_no) AS upto FROM lines)
        SELECT t.at, coalesce((SELECT sum(own) FROM lines), 0), coalesce(above.upto, 0),
               coalesce(above.upto, 0) - coalesce(before.upto, 0)
        FROM totals t ASOF LEFT JOIN running above ON t.at > above.row_no
        ASOF LEFT JOIN running before ON t.since >= before.row_no""",
        [[at for at, _ in places], [since for _, since in places]],
    ).fetchall()
    return {row[0]: tuple(Decimal(value) for value in row[1:]) for row in found}


def _slack(column: Column, text: str, factor: Decimal, rows: int) -> Decimal:
    """Return how far a sum of rounded figures may lie from a rounded total."""
    decimals = len(text.strip().rpartition(".")[2]) if "." in text else 0
    rounding = factor * Decimal(rows + 1) / 2 / 10**decimals if decimals else Decimal(0)
    return max(rounding, SLACK_TEN_THOUSANDS if factor == _TEN_THOUSAND and column.unit == "CNY" else Decimal(0))
