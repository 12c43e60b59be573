"""Rows of the operational tables: columns of their few kinds, and dataclasses in and out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import fields
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from warehouse.control import from_iso, iso

Row = TypeVar("Row")


class Instant(sa.types.TypeDecorator[dt.datetime]):
    """An aware instant as sortable text."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, _dialect: Any) -> str | None:
        return None if value is None else iso(value)

    def process_result_value(self, value: Any, _dialect: Any) -> dt.datetime | None:
        return None if value is None else from_iso(value)


def key_column(name: str, kind: type[Any] = str) -> sa.Column[Any]:
    return sa.Column(name, {str: sa.String, int: sa.Integer}[kind], primary_key=True)


def column(name: str, kind: Any = sa.String, *, null: bool = False, index: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=null, index=index)


def add_rows(engine: Engine, table: sa.Table, rows: Iterable[Any]) -> int:
    listed = [vars(row) for row in rows]
    if listed:
        with engine.begin() as con:
            con.execute(sa.insert(table), listed)
    return len(listed)


def read_rows(engine: Engine, query: sa.Select[Any], kind: type[Row]) -> tuple[Row, ...]:
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    with engine.connect() as con:
        return tuple(kind(**{name: row._mapping[name] for name in names}) for row in con.execute(query))


def not_after(table: sa.Table, known_at: dt.datetime | None) -> sa.ColumnElement[bool]:
    return sa.true() if known_at is None else table.c.known_at <= known_at
