"""Files that cannot be taken: each is refused by its own name, with its place, and nothing ever crashes."""

from __future__ import annotations

import io
import zipfile

import msoffcrypto
import pytest
import xlsxwriter
import xlwt
from hypothesis import given, settings
from hypothesis import strategies as st
from msoffcrypto.format.ooxml import OOXMLFile
from xlwt.CompoundDoc import XlsDoc

from warehouse.readers import signatures
from warehouse.readers.messages import message
from warehouse.readers.tables import ReadRefused, read_tables

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
HEADER = "统计期,单位名称,金额\n"


def xlsx_bytes(rows=(["单位名称", "金额"], ["甲", 1])) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as workbook:
        sheet = workbook.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return out.getvalue()


def zip_bytes(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "code", "hint"),
    [
        ("photo.xls", PNG, "not_a_table", "image"),
        ("scan.xlsx", b"\xff\xd8\xff\xe0" + bytes(40), "not_a_table", "image"),
        ("anim.csv", b"GIF89a" + bytes(20), "not_a_table", "image"),
        ("letter.xls", b"%PDF-1.7\n%\xe2\xe3", "not_a_table", "pdf"),
        ("packed.csv", zip_bytes({"a.csv": b"x"}), "not_a_table", "archive"),
        (
            "letter.xlsx",
            zip_bytes({"word/document.xml": b"<w/>", "[Content_Types].xml": b"<t/>"}),
            "not_a_table",
            "word",
        ),
        ("talk.xlsx", zip_bytes({"ppt/presentation.xml": b"<p/>"}), "not_a_table", "slides"),
        ("binary.xlsx", zip_bytes({"xl/workbook.bin": b"x"}), "not_a_table", "xlsb"),
        ("squeezed.csv", b"\x1f\x8b\x08" + bytes(20), "not_a_table", "archive"),
        ("dump.csv", b'[{"a": 1}]', "not_a_table", "json"),
        ("feed.csv", b'<?xml version="1.0"?><rows/>', "not_a_table", "xml"),
        (
            "old.xls",
            b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>',
            "not_a_table",
            "sheet_xml",
        ),
        ("page.xls", b"<html><body><table><tr><td>1</td></tr></table></body></html>", "html_as_xls", None),
        ("page.xls", b"\xef\xbb\xbf\r\n<!DOCTYPE html>\n<table>", "html_as_xls", None),
        ("page.xls", '<?xml version="1.0"?>\n<html>'.encode("utf-16"), "html_as_xls", None),
        ("empty.csv", b"", "empty_file", None),
        ("empty.xlsx", b"", "empty_file", None),
        ("blank.csv", b"\n\n,,\n", "empty_file", None),
        ("half.xlsx", xlsx_bytes()[:1500], "corrupt", None),
        ("half.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "corrupt", None),
        ("half.parquet", b"PAR1" + bytes(60), "corrupt", None),
        ("header.csv", HEADER.encode(), "no_rows", None),
        ("header.xlsx", xlsx_bytes([["单位名称", "金额"]]), "no_rows", None),
        ("totals.csv", (HEADER + "合计,,3\n").encode(), "no_rows", None),
        ("prose.csv", "这里没有表格\n".encode(), "no_header", None),
        ("prose.xlsx", xlsx_bytes([["这里没有表格"]]), "no_header", None),
        ("nul.csv", (HEADER + "2024-03,甲\0,1\n").encode(), "nul_bytes", None),
    ],
)
def test_what_is_no_table_is_called_by_its_name(written, refused, name, content, code, hint):
    (fault,) = refused(written(content, name))
    assert (fault.code, fault.file, fault.hint) == (code, name, hint)
    assert name in message(fault, "zh") and name in message(fault, "en")


def test_a_workbook_with_a_password_says_so(tmp_path, refused):
    locked = io.BytesIO()
    OOXMLFile(io.BytesIO(xlsx_bytes())).encrypt("geheim", locked)
    path = tmp_path / "locked.xlsx"
    path.write_bytes(locked.getvalue())
    assert msoffcrypto.OfficeFile(path.open("rb")).is_encrypted()
    assert [fault.code for fault in refused(path)] == ["password"]


def test_an_old_workbook_with_a_password_says_so(tmp_path, refused):
    workbook = xlwt.Workbook()
    workbook.add_sheet("a").write(0, 0, "x")
    stream = workbook.get_biff_data()
    begin = 4 + int.from_bytes(stream[2:4], "little")
    stream = stream[:begin] + b"\x2f\x00\x06\x00\x00\x00\x01\x02\x03\x04" + stream[begin:]
    XlsDoc().save(str(tmp_path / "locked.xls"), stream)
    assert [fault.code for fault in refused(tmp_path / "locked.xls")] == ["password"]


def test_an_encrypted_open_document_says_so(written, refused):
    manifest = b"<manifest:manifest><manifest:encryption-data/></manifest:manifest>"
    kind = b"application/vnd.oasis.opendocument.spreadsheet"
    content = zip_bytes({"mimetype": kind, "content.xml": b"x", "META-INF/manifest.xml": manifest})
    assert [fault.code for fault in refused(written(content, "locked.ods"))] == ["password"]


def test_a_workbook_that_swells_beyond_reason_is_not_unpacked(written, refused):
    content = zip_bytes({"xl/workbook.xml": b"<w/>", "xl/worksheets/sheet1.xml": b" " * (30 << 20)})
    (fault,) = refused(written(content, "bomb.xlsx"))
    assert (fault.code, fault.value) == ("too_big", "30")
    assert "CSV" in message(fault, "zh")


def test_a_workbook_above_the_size_limit_is_sent_to_csv(written, refused, monkeypatch):
    monkeypatch.setattr(signatures, "DECLARED_LIMIT", 1000)
    assert [fault.code for fault in refused(written(xlsx_bytes(), "large.xlsx"))] == ["too_big"]


@pytest.mark.parametrize("member", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml"])
def test_a_workbook_that_lies_about_its_size_is_damaged(written, refused, member):
    content = bytearray(xlsx_bytes())
    at = content.rfind(member.encode()) - 46
    assert content[at : at + 4] == b"PK\x01\x02"
    content[at + 24 : at + 28] = (10).to_bytes(4, "little")
    assert [fault.code for fault in refused(written(bytes(content), "liar.xlsx"))] == ["corrupt"]


def test_mixed_encodings_are_refused_at_the_first_line_that_differs(written, refused):
    lines = ["统计期,单位名称,金额\n", "2024-03,市财政局,1\n", "2024-03,市公安局,2\n"]
    for first, second in (("utf-8", "gb18030"), ("gb18030", "utf-8")):
        content = lines[0].encode(first) + lines[1].encode(first) + lines[2].encode(second)
        (fault,) = refused(written(content))
        assert (fault.code, fault.row) == ("mixed_encoding", 3)


def test_a_line_in_gbk_behind_a_utf8_mark_is_mixed(written, refused):
    content = HEADER.encode("utf-8-sig") + "2024-03,市公安局,2\n".encode("gbk")
    assert [(fault.code, fault.row) for fault in refused(written(content))] == [("mixed_encoding", 2)]


def test_an_encoding_nobody_here_uses_is_refused_with_its_line(written, refused):
    content = "name,city\nJosé,Málaga\nFrançois,Orléans\n".encode("latin-1")
    assert [(fault.code, fault.row) for fault in refused(written(content))] == [("wrong_encoding", 2)]


def test_a_quote_that_never_closes_is_a_truncated_file(written, refused):
    (fault,) = refused(written(HEADER + '2024-03,甲,1\n2024-03,"乙,2\n2024-04,丙,3\n'))
    assert (fault.code, fault.row) == ("truncated", 3)


@pytest.mark.parametrize("codec", ["utf-8", "gb18030"])
def test_a_letter_cut_in_two_is_a_truncated_file(written, refused, codec):
    content = (HEADER + "2024-03,甲,1\n2024-03,市财政局").encode(codec)[:-1]
    assert [(fault.code, fault.row) for fault in refused(written(content))] == [("truncated", 3)]


def test_every_sheet_without_rows_is_named(tmp_path, refused):
    with xlsxwriter.Workbook(tmp_path / "two.xlsx") as workbook:
        for name in ("一", "二"):
            workbook.add_worksheet(name).write_row("A1", ["单位名称", "金额"])
    assert [(fault.code, fault.sheet) for fault in refused(tmp_path / "two.xlsx")] == [
        ("no_rows", "一"),
        ("no_rows", "二"),
    ]


@settings(max_examples=200, deadline=None)
@given(
    content=st.one_of(
        st.binary(max_size=300),
        st.tuples(st.sampled_from([b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PAR1", b"\xff\xfe"]), st.binary())
        .map(b"".join),
        st.text(alphabet='a,"\n\r;\t1金额合计 ', max_size=200).map(str.encode),
    )
)  # fmt: skip
def test_no_bytes_whatever_make_a_reader_crash(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "any.csv"
    path.write_bytes(content)
    try:
        tables = read_tables(path, frozenset(["金额"]).__contains__)
    except ReadRefused as refusal:
        assert refusal.faults
    else:
        assert all(table.rows for table in tables)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 5000), st.binary(min_size=1, max_size=8))
def test_a_damaged_workbook_is_read_or_refused(tmp_path_factory, at, noise):
    content = bytearray(xlsx_bytes())
    at %= len(content)
    content[at : at + len(noise)] = noise
    path = tmp_path_factory.mktemp("any") / "any.xlsx"
    path.write_bytes(bytes(content))
    try:
        read_tables(path, frozenset(["单位名称", "金额"]).__contains__)
    except ReadRefused as refusal:
        assert refusal.faults


def test_a_member_longer_than_it_says_is_found_out_before_its_cells_are_read(written, refused):
    """The directory of the archive claims 100 bytes for the sheet; a bomb would claim as little."""
    data = bytearray(xlsx_bytes())
    name = b"xl/worksheets/sheet1.xml"
    at = data.rfind(b"PK\x01\x02", 0, data.rfind(name))
    data[at + 24 : at + 28] = (100).to_bytes(4, "little")
    path = written(bytes(data), "bomb.xlsx")
    assert [fault.code for fault in refused(path)] == ["corrupt"]
