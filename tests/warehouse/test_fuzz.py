"""Files that nobody would send, and some that somebody did: mutated exports and invented tables through the whole load.

No crash, no fault of ours behind a refusal, every row accounted for, and a store that is sound afterwards.
"""

from __future__ import annotations

import datetime as dt
import io
import random
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samples import city
from tests.fakes.office import NOW
from warehouse.contracts import load_contracts
from warehouse.health.examine import examine
from warehouse.ingest import load
from warehouse.publish import publish
from warehouse.receipts import FileReport
from warehouse.store import Store

SMALL = 60_000
TOGETHER = 20
"""Files handed in by one call."""
NASTY = (
    "", " ", "-", "—", "合计", "其中：", "=1+1", "+8613800000000", "9" * 40, "-0", "1e400", "NaN", "inf", "1,2,3", "１２３",
    "2024-13-45", "0000-00-00", "99999", "2024年13月", "一季度", "1-6月", "#REF!", "\x00", "\ufeff", "𠮷野家", "a" * 5000, '"', "\r", "'; --",
    "绝密", "true", "12:61", "4.4E+17", "万元", "\u202e", "单位：万元",
)  # fmt: skip
NEVER = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)


# --- what is done to a file -------------------------------------------------------------------------------------------


def flip(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 12)):
        if changed:
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def cut_out(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data) + 1)
    return data[:start] + data[start + chance.randrange(2000) :]


def put_in(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data) + 1)
    return data[:start] + chance.randbytes(chance.randint(1, 300)) + data[start:]


def say_twice(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data) + 1)
    return data[: start + 500] + data[start:]


def other_code(data: bytes, chance: random.Random) -> bytes:
    text = data.decode("utf-8-sig", errors="replace")
    return text.encode(chance.choice(["gb18030", "utf-16", "utf-8-sig", "utf-16-be"]), errors="replace")


def other_cells(data: bytes, chance: random.Random) -> bytes:
    lines = data.decode("utf-8-sig", errors="replace").split("\n")
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(lines))
        cells = lines[place].split(",")
        cells[chance.randrange(len(cells))] = chance.choice(NASTY)
        lines[place] = ",".join(cells)
    return "\n".join(lines).encode()


def other_lines(data: bytes, chance: random.Random) -> bytes:
    lines = data.decode("utf-8-sig", errors="replace").split("\n")
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    del lines[chance.randrange(len(lines))]
    return chance.choice(["\n", "\r\n", "\r"]).join(lines).encode()


def other_marks(data: bytes, chance: random.Random) -> bytes:
    return data.replace(b",", chance.choice([b";", b"\t", b"|", b",,", "，".encode()]))


def broken_part(data: bytes, chance: random.Random) -> bytes:
    """A workbook whose archive is whole and one of whose parts is not."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        names = source.namelist()
        hurt = chance.choice(names)
        for name in names:
            part = source.read(name)
            if name == hurt:
                part = chance.choice((flip, cut, cut_out, put_in, lambda *_: b""))(part, chance)
            target.writestr(name, part)
    return out.getvalue()


Mutation = Callable[[bytes, random.Random], bytes]
ANY: tuple[Mutation, ...] = (flip, cut, cut_out, put_in, say_twice)
TEXT: tuple[Mutation, ...] = (other_code, other_cells, other_cells, other_cells, other_lines, other_marks)


def mutated(originals: list[Path], folder: Path, count: int, seed: int) -> Iterator[Path]:
    chance = random.Random(seed)
    books = [file for file in originals if zipfile.is_zipfile(file)]
    texts = [file for file in originals if file not in books]
    for number in range(count):
        original = chance.choice(books if chance.random() < 0.3 else texts)
        data = original.read_bytes()
        is_book = zipfile.is_zipfile(original)
        for mutate in chance.sample(
            (*ANY, broken_part, broken_part) if is_book else (*ANY, *TEXT), chance.choice((1, 1, 2))
        ):
            data = mutate(original.read_bytes() if mutate is broken_part else data, chance)
        suffix = (
            original.suffix if chance.random() < 0.95 else chance.choice((".csv", ".xlsx", ".xls", ".ods", ".parquet"))
        )
        place = folder / f"{number:05d}-{original.stem}{suffix}"
        place.write_bytes(data)
        yield place


# --- what must hold ---------------------------------------------------------------------------------------------------


def accounted(report: FileReport) -> None:
    """Every row of a file is one of four things, and what is said is said in both languages and is no fault of ours."""
    counts = report.counts
    parts = sum(counts.get(name, 0) for name in ("accepted", "unchanged", "quarantined", "skipped"))
    assert counts.get("rows_in", 0) == parts, (report.file, counts)
    assert report.status in ("committed", "unchanged", "refused", "ignored"), report
    assert report.message["zh"] and report.message["en"], report
    assert "unforeseen" not in report.message.get("codes", ()), (report.file, report.message)
    assert "Traceback" not in str(report.message), report


def test_a_flipped_byte_that_asks_for_an_unknown_archive_is_a_damaged_file(store: Store, tmp_path: Path) -> None:
    """Found by mutation: byte 6 of a central directory entry is the version needed to open it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as book:
        book.writestr("xl/workbook.xml", "<workbook/>")
    data = bytearray(out.getvalue())
    data[data.index(b"PK\x01\x02") + 6] = 145
    (tmp_path / "册.xlsx").write_bytes(data)
    (report,) = load(store, [tmp_path / "册.xlsx"], clock=lambda: NOW)
    assert (report.status, report.message["codes"]) == ("refused", ["corrupt"])


def test_a_workbook_whose_parts_do_not_unpack_is_a_damaged_file(store: Store, exports: Path, tmp_path: Path) -> None:
    """Found by mutation: the archive's directory is whole, what it lists is not."""
    original = next(file for file in sorted(exports.rglob("*.xlsx")) if file.stat().st_size < SMALL)
    data = bytearray(original.read_bytes())
    with zipfile.ZipFile(original) as book:
        for entry in book.infolist():
            if entry.filename.startswith("xl/worksheets/"):
                start = entry.header_offset + 30 + len(entry.filename)
                data[start : start + 40] = b"\xff" * 40
    (tmp_path / "册.xlsx").write_bytes(data)
    (report,) = load(store, [tmp_path / "册.xlsx"], clock=lambda: NOW)
    assert (report.status, report.message["codes"]) == ("refused", ["corrupt"])


def sound(store: Store) -> None:
    publish(store, clock=lambda: NOW)
    found = [one for one in examine(store, deep=True, clock=lambda: NEVER).findings if one.code != "disk_low"]
    assert not found, found


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real exports of a small simulated city, csv and workbooks."""
    place = tmp_path_factory.mktemp("exports")
    city.write(place / "files", seed=3, months=3, units=12, truth=place / "truth.json")
    return place / "files"


@pytest.fixture(scope="module")
def store(exports: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store that knows the city's units."""
    store = Store(tmp_path_factory.mktemp("fuzz") / "store")
    registers = tmp_path_factory.mktemp("registers")
    for file in exports.rglob("*机构*"):
        shutil.copy(file, registers)
    load(store, sorted(registers.iterdir()), clock=lambda: NOW)
    return store


def hammer(store: Store, exports: Path, folder: Path, count: int, seed: int) -> None:
    originals = [
        file for file in sorted(exports.rglob("*.*")) if file.suffix != ".toml" and file.stat().st_size < SMALL
    ]
    assert {file.suffix for file in originals} >= {".csv", ".xlsx"}
    files = list(mutated(originals, folder, count, seed))
    took = set()
    for start in range(0, count, TOGETHER):
        for report in load(store, files[start : start + TOGETHER], clock=lambda: NOW):
            accounted(report)
            took.add(report.status)
        for file in files[start : start + TOGETHER]:
            file.unlink()
    assert {"committed", "refused"} <= took, "some are good enough to be taken, some are not"
    sound(store)


def test_mutated_exports_are_taken_or_refused_in_words(store: Store, exports: Path, tmp_path: Path) -> None:
    hammer(store, exports, tmp_path, 120, 11)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_thousands_of_mutated_exports(store: Store, exports: Path, tmp_path: Path, seed: int) -> None:
    hammer(store, exports, tmp_path, 450, 100 + seed)


CONTRACTS = {name: contract for name, contract in load_contracts().items() if not contract.is_reference}
CELLS = st.one_of(
    st.sampled_from(NASTY), st.decimals(-(10**9), 10**9, places=2).map(str), st.dates().map(str), st.text(max_size=12),
    st.sampled_from(["2024-05", "202405", "2024年5月", "市财政局", "是", "否", "30201"]),
)  # fmt: skip


@st.composite
def invented(draw: st.DrawFn) -> tuple[str, bytes]:
    """A table under the headings of some source, with whatever in its cells."""
    contract = CONTRACTS[draw(st.sampled_from(sorted(CONTRACTS)))]
    labels = draw(
        st.permutations([column.aliases[0] if column.aliases else column.name for column in contract.columns])
    )
    labels = labels[: draw(st.integers(1, len(labels)))]
    rows = draw(st.lists(st.lists(CELLS, min_size=1, max_size=len(labels) + 1), max_size=6))
    mark = draw(st.sampled_from([",", "\t", ";"]))
    quoted = ['"' + cell.replace('"', '""') + '"' if draw(st.booleans()) else cell for row in rows for cell in row]
    cells = iter(quoted)
    lines = [mark.join(labels), *(mark.join(next(cells) for _ in row) for row in rows)]
    text = draw(st.sampled_from(["", "某市报表\n", "单位：万元\n\n"])) + "\n".join(lines)
    return contract.name, text.encode(draw(st.sampled_from(["utf-8", "gb18030", "utf-16"])), errors="replace")


def invent(store: Store, folder: Path, examples: int) -> None:
    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(st.lists(invented(), min_size=10, max_size=10))
    def run(tables: list[tuple[str, bytes]]) -> None:
        files = []
        for number, (name, data) in enumerate(tables):
            files.append(folder / f"{number}-{name}.csv")
            files[-1].write_bytes(data)
        for report in load(store, files, clock=lambda: NOW):
            accounted(report)

    run()
    sound(store)


def test_invented_tables_are_taken_or_refused_in_words(store: Store, tmp_path: Path) -> None:
    invent(store, tmp_path, 8)


@pytest.mark.soak
def test_hundreds_of_invented_tables(store: Store, tmp_path: Path) -> None:
    invent(store, tmp_path, 50)
