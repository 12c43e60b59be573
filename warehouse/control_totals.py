"""Control totals: what a sheet says its columns add up to (合计), compared with what was read from its rows.

A total is never a row of data, but it is the office's own word on whether the rows are all there. A difference is
told with the load; it sets nothing aside, because nobody can say which row is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import duckdb

from warehouse.base.sql import quote
from warehouse.columns import BLANK
from warehouse.contracts import Column, Contract
from warehouse.crosstab import heading_of
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


@dataclass(frozen=True)
class _Total:
    """A total row: where it stands, the row of the total before it, its cells."""

    row: int
    since: int
    cells: Cells


def total_gaps(
    con: duckdb.DuckDBPyConnection, contract: Contract, sheets: Sequence[tuple[RawTable, Mapped]], meanings: Meanings
) -> list[TotalGap]:
    """Compare every plain total row of the staged file with its rows: all of the table, or those since the last total."""
    found: list[TotalGap] = []
    for number, (table, mapped) in enumerate(sheets):
        ends = [0, *(row for row, _ in table.totals)]
        plain = [
            _Total(row, since, cells)
            for (row, cells), since in zip(table.totals, ends, strict=False)
            if _is_plain(cells)
        ]
        names = [name for name in mapped.columns if _is_summed(name, contract, mapped, plain)]
        sums = _sums(con, contract, number, names, plain) if names else {}
        gaps = [gap for name in sums for gap in _gaps_of(contract, table, mapped, meanings, name, plain, sums[name])]
        found += sorted(gaps, key=lambda gap: gap.row_no)
    return found


def _is_plain(cells: Cells) -> bool:
    """A bare 合计, 小计 or 总计; 其中 and numbered sections sum over rows nobody can point to."""
    return any(is_sum_word(cell) for cell in [cell for cell in cells if cell][:LEADING_CELLS])


def _is_summed(name: str, contract: Contract, mapped: Mapped, totals: Sequence[_Total]) -> bool:
    """Whether a column holds an amount of something and some total states its sum."""
    column, index = column_of(contract, name), mapped.columns[name][0]
    return column.is_number and column.unit is not None and any(_cell(total.cells, index) for total in totals)


def _gaps_of(
    contract: Contract, table: RawTable, mapped: Mapped, meanings: Meanings, name: str, totals: Sequence[_Total],
    sums: Mapping[int, tuple[Decimal, ...]],
) -> Iterator[TotalGap]:  # fmt: skip
    """Give the totals of one column its rows do not add up to."""
    (index, factor), column = mapped.columns[name], column_of(contract, name)
    for total in totals:
        text = _cell(total.cells, index)
        stated = meanings.of(column, text, mapped.units[name], factor) if text else BLANK
        if stated.value is None or stated.fault:
            continue
        figure, slack = Decimal(stated.value), rounding_room(column, text, factor, table.rows)
        if all(abs(figure - own) > slack for own in sums[total.row]):
            yield TotalGap(table.file, table.sheet, total.row, table.labels[index], figure, sums[total.row][0])


def _cell(cells: Cells, index: int) -> str:
    return (cells[index] or "").strip() if index < len(cells) else ""


def _sums(
    con: duckdb.DuckDBPyConnection, contract: Contract, number: int, names: Sequence[str], totals: Sequence[_Total]
) -> dict[str, dict[int, tuple[Decimal, ...]]]:
    """Return for each column, and the row of each total, the sums it may mean: the whole table, the rows above it, those
    since the last total. One look for all: a sheet may hold thousands of totals. A column in which some row's figure
    could not be read is left out, for no sum of it is known."""
    faults = con.execute("SELECT DISTINCT column_name FROM faults WHERE sheet_no = $1", [number]).fetchall()
    faulty = {name for (name,) in faults}
    read = [name for name in names if faulty.isdisjoint((name, heading_of(name)[1].rpartition(".")[2]))]
    if not read:
        return {}
    places = range(len(read))
    own = ", ".join(f"{_sum(contract, number, name)} AS own{at}" for at, name in enumerate(read))
    whole = ", ".join(f"sum(own{at}) AS own{at}" for at in places)
    upto = ", ".join(f"sum(own{at}) OVER (ORDER BY row_no) AS upto{at}" for at in places)
    shown = ", ".join(
        f"coalesce(whole.own{at}, 0), coalesce(above.upto{at}, 0),"
        f" coalesce(above.upto{at}, 0) - coalesce(before.upto{at}, 0)"
        for at in places
    )
    found = con.execute(
        f"""WITH totals AS (SELECT unnest($1::BIGINT[]) AS at, unnest($2::BIGINT[]) AS since),
        lines AS (SELECT row_no::BIGINT AS row_no, {own} FROM staged WHERE sheet_no = {number} GROUP BY row_no),
        running AS (SELECT row_no, {upto} FROM lines),
        whole AS (SELECT {whole} FROM lines)
        SELECT t.at, {shown}
        FROM totals t CROSS JOIN whole ASOF LEFT JOIN running above ON t.at > above.row_no
        ASOF LEFT JOIN running before ON t.since >= before.row_no""",
        [[total.row for total in totals], [total.since for total in totals]],
    ).fetchall()
    return {
        name: {row[0]: tuple(Decimal(value) for value in row[1 + 3 * at : 4 + 3 * at]) for row in found}
        for at, name in enumerate(read)
    }


def _sum(contract: Contract, number: int, name: str) -> str:
    """SQL of the sum of a column; of its own rows where it is one group of a wide form, or one heading of a crosstab."""
    heading, inner = heading_of(name)
    group, _, measure = inner.rpartition(".")
    own = []
    if heading is not None:
        own.append(f"part IN (SELECT part FROM crossed WHERE sheet_no = {number} AND name = {quote(name)})")
    if group and contract.unpivot:
        own.append(f'"{contract.unpivot.dimension}" = {quote(group)}')
    return f'sum("{measure}")' + (f" FILTER (WHERE {' AND '.join(own)})" if own else "")


def rounding_room(column: Column, text: str, factor: Decimal, rows: int) -> Decimal:
    """Return how far a sum of rounded figures may lie from a rounded total."""
    decimals = len(text.strip().rpartition(".")[2]) if "." in text else 0
    rounding = factor * Decimal(rows + 1) / 2 / 10**decimals if decimals else Decimal(0)
    return max(rounding, SLACK_TEN_THOUSANDS if factor == _TEN_THOUSAND and column.unit == "CNY" else Decimal(0))
