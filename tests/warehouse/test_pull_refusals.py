"""Databases as sources: what cannot be read is refused in words, without a password, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.books import SQL, Books
from tests.fakes.postgres import USER, free_port
from warehouse.base.errors import RefusedInput
from warehouse.contracts import load_contracts
from warehouse.pulls.declaration import read_declaration
from warehouse.pulls.words import _catalogue

# --- refusals ---------------------------------------------------------------------------------------------------------


def change_of(statement: str) -> Callable[[Books], None]:
    return lambda books: books.sql(statement)


@pytest.mark.parametrize(
    ("statement", "zh", "en"),
    [
        ("ALTER TABLE {schema}.voucher RENAME COLUMN amount TO sum", "column \"amount\" does not exist", "amount"),
        ("DROP TABLE {schema}.voucher", "does not exist", "does not take this query"),
    ],
)  # fmt: skip
def test_a_query_the_database_does_not_take(books: Books, statement: str, zh: str, en: str) -> None:
    books.pay("V1", "100", "2025-02-01 10:00+08")
    books.pull()
    books.sql(statement)
    text = books.refused()
    assert zh in text and en in text


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("ALTER TABLE {schema}.plain DROP COLUMN note", "note (text) is gone"),
        ("ALTER TABLE {schema}.plain RENAME COLUMN note TO remark", "note (text) is gone"),
        ("ALTER TABLE {schema}.plain ALTER COLUMN raw TYPE text", "raw was numeric and is text"),
    ],
)
def test_other_columns_than_last_time_are_refused_until_all_is_read_anew(
    books: Books, statement: str, words: str
) -> None:
    columns = SQL.split("FROM", maxsplit=1)[0].strip().removeprefix("SELECT")
    books.sql(
        f"CREATE TABLE {{schema}}.plain AS SELECT {columns}, amount AS raw, 'x'::text AS note FROM {{schema}}.voucher"
    )
    books.declare(query="", table=f'"{books.schema}.plain"')
    books.pay("V1", "100", "2025-02-01 10:00+08")
    books.sql(f"INSERT INTO {{schema}}.plain SELECT {columns}, amount, 'x' FROM {{schema}}.voucher")
    books.pull()
    books.sql("ALTER TABLE {schema}.plain ADD COLUMN more text")
    assert books.pull().report.status == "unchanged", "another column is nobody's harm"
    books.sql(statement)
    text = books.refused()
    assert words in text and "Nothing was taken" in text and "--full" in text
    assert books.pull(full=True).report.status == "unchanged"


def test_another_query_is_read_from_the_beginning(books: Books) -> None:
    books.pay("V1", "100", "2025-02-01 10:00+08")
    books.pull()
    books.declare(query=f"'''{SQL.format(schema=books.schema)} WHERE amount > 0'''")
    done = books.pull()
    assert (done.since, done.rows, done.report.status) == (None, 1, "unchanged")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"grows_by": '"nowhere"'}, "has no column nowhere"),
        ({"grows_by": '"单位名称"'}, "of type text"),
        ({"overlap": "5"}, "does not fit"),
        ({"query": "'SELECT 1 AS a, 2 AS a'", "grows_by": "", "overlap": ""}, "have one name: a"),
        ({"query": "'SELEC 1'"}, "does not take this query"),
        ({"query": "\"SELECT 'a'::bytea AS b\"", "grows_by": "", "overlap": ""}, "holds bytes"),
        ({"query": "'DELETE FROM {schema}.voucher RETURNING *'", "grows_by": "", "overlap": ""}, "does not take this query"),
        ({"query": "\"SELECT pg_sleep(5)::text AS x, now() AS changed\"", "timeout_seconds": "1"}, "took too long"),
    ],
)  # fmt: skip
def test_a_query_that_cannot_be_read_is_refused_in_words(books: Books, change: dict[str, str], words: str) -> None:
    books.declare(**{key: value.replace("{schema}", books.schema) for key, value in change.items()})
    assert words in books.refused()


def test_a_query_may_hold_signs_that_mean_something_elsewhere(books: Books) -> None:
    books.pay("V1", "100", "2025-02-01 10:00+08")
    books.declare(
        query=f"'''{SQL.format(schema=books.schema)} WHERE unit LIKE '%局' AND paid::time > '00:10' -- {{}} %s :x'''"
    )
    assert books.counts(books.pull()) == ("committed", 1, 1, 0)
    assert books.pull().report.status == "unchanged"


@pytest.mark.parametrize(
    ("change", "words"),
    [({"password": "geheim"}, "does not take this user and password"), ({"port": free_port()}, "refused"), ({"database": "nix"}, "no such database")],
)  # fmt: skip
def test_a_database_that_cannot_be_reached_is_told_without_its_password(
    books: Books, change: dict[str, Any], words: str
) -> None:
    from sqlalchemy.engine import make_url

    url = make_url(books.environment["FINANCE_DATABASE"]).set(**change)
    books.environment["FINANCE_DATABASE"] = url.render_as_string(hide_password=False)
    text = books.refused()
    assert words in text and "geheim" not in text


def test_an_address_that_is_missing_or_none_is_told(books: Books) -> None:
    books.environment["FINANCE_DATABASE"] = "s3cret-and-no-address"
    assert "does not hold the address" in books.refused()
    del books.environment["FINANCE_DATABASE"]
    assert "FINANCE_DATABASE is not set" in books.refused()


def test_a_user_without_the_right_is_told(books: Books) -> None:
    with books.server.connect() as con:
        con.execute("DROP ROLE IF EXISTS reader")
        con.execute("CREATE ROLE reader LOGIN PASSWORD 'geheim'")
    books.environment["FINANCE_DATABASE"] = books.server.url().replace(USER, "reader", 1).replace(
        books.server.url().split(":")[2].split("@")[0], "geheim", 1
    )  # fmt: skip
    assert "lacks a right" in books.refused()


def test_nothing_is_ever_written_there(books: Books) -> None:
    books.pay("V1", "100", "2025-02-01 10:00+08")
    books.sql(
        "CREATE FUNCTION {schema}.spend() RETURNS numeric LANGUAGE sql AS 'UPDATE {schema}.voucher SET amount = 0 RETURNING amount'"
    )
    books.declare(query=f"'''{SQL.format(schema=books.schema).replace('amount AS', books.schema + '.spend() AS')}'''")
    assert "read-only" in books.refused()


def test_a_connection_that_breaks_while_rows_are_read(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    from warehouse.pulls import extract

    books.pay("V1", "100", "2025-02-01 10:00+08")
    whole = extract._batches

    def cut(cursor: Any, most: int) -> Any:
        for batch in whole(cursor, most):
            with books.server.connect() as con:
                con.execute("SELECT pg_terminate_backend(%s)", [cursor.connection.info.backend_pid])
            yield batch

    with monkeypatch.context() as patch:
        patch.setattr(extract, "_batches", cut)
        assert "broke" in books.refused()
    assert books.counts(books.pull()) == ("committed", 1, 1, 0)


# --- declarations -----------------------------------------------------------------------------------------------------


def test_all_faults_of_a_declaration_are_told_together(tmp_path: Path) -> None:
    file = tmp_path / "d.toml"
    file.write_text(
        'source = "paymnt"\nurl_env = "postgresql://u:geheim@h/db"\nquery = "SELECT 1"\ntable = "a b"\n'
        'grows = "x"\nevery_minutes = 0\noverlap = "soon"\n',
        encoding="utf-8",
    )
    with pytest.raises(RefusedInput) as told:
        read_declaration(file, load_contracts())
    text = str(told.value)
    for words in ("'paymnt' (payment", "name of an environment variable", "One of query and table", "'a b'" if False else "a b",
                  "Unknown key 'grows' (known: grows_by)", "every_minutes = 0", "overlap = soon"):  # fmt: skip
        assert words in text, words
    assert "geheim" not in text
    file.write_text(
        'source = "payment"\nurl_env = "X"\ntable = "t"\n[columns]\na = "没有这列"\nb = "金额(元)"\n', encoding="utf-8"
    )
    with pytest.raises(RefusedInput, match="a = '没有这列'"):
        read_declaration(file, load_contracts())


def test_every_sentence_is_there_in_both_languages() -> None:
    for code, text in _catalogue().items():
        assert {"zh", "en"} <= set(text), code
        assert ("do_zh" in text) == ("do_en" in text), code
