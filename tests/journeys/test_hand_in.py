"""A clerk hands files in, in a real browser over a real store, and a board that is open shows it."""

from __future__ import annotations

import base64
import datetime as dt
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pytest

from callbacks.live import LiveServices
from cockpit.app import create_app
from cockpit.handovers import start_watching
from cockpit.intake import Desk
from cockpit.pipeline import rebuild
from tests.fakes.office import PAY, Office
from tests.journeys.serve_fake import Settings
from warehouse.ingest import load

ORG = (
    "单位代码,单位名称,简称,上级单位代码,层级,单位性质,机构序列,生效日期,失效日期,曾用名,纳入成本统计\n"
    "R,模拟市,,,市,区域,1,2020-01-01,,,否\n"
    "A,市财政局,财政局,R,市,政府,2,2020-01-01,,市财政厅,是\n"
    "B,市教育局,教育局,R,市,政府,3,2020-01-01,,,是\n"
)
NOW = dt.datetime(2025, 3, 3, 2, tzinfo=dt.UTC)
LINE = "{v},1,{unit},2025-01-{day},30201,办公费,一般公共预算财政拨款,基本支出-公用,{amount}\n"
MESSY = (
    "某市财政支付明细（一月）,,,,,,,,\n单位：万元,,,,,,,,\n"
    + PAY.replace("单位名称", "用款部门").replace("金额(元)", "金额")
    + LINE.format(v="V1", unit="市财政局", day="10", amount="100")
    + LINE.format(v="V2", unit="市教育句", day="20", amount="２０")
    + LINE.format(v="V3", unit="市财政局", day="21", amount="叁拾")
    + "合计,,,,,,,,150\n"
)
DROP = """([files]) => {
  const carried = new DataTransfer();
  files.forEach(([name, text]) => carried.items.add(new File([Uint8Array.from(atob(text), c => c.charCodeAt(0))], name)));
  const place = document.querySelector('.desk-drop');
  ['dragover', 'drop'].forEach(kind => place.dispatchEvent(
    new DragEvent(kind, {dataTransfer: carried, bubbles: true, cancelable: true})));
}"""


@dataclass
class Hall:
    """A running site over a small real store with a worker beside it."""

    address: str
    office: Office


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    from werkzeug.serving import make_server

    office = Office(tmp_path_factory.mktemp("hall"))
    path = office.folder / "组织机构.csv"
    path.write_text(ORG, encoding="utf-8")
    start = LINE.format(v="V0", unit="市财政局", day="05", amount="1000000")
    (office.folder / "初始.csv").write_text(PAY + start, encoding="utf-8")
    load(office.store, [path, office.folder / "初始.csv"], clock=lambda: NOW)
    rebuild(office.store, clock=lambda: NOW)
    ticks = iter(range(1, 10_000_000))
    lock = threading.Lock()

    def clock() -> dt.datetime:
        with lock:
            return NOW + dt.timedelta(seconds=next(ticks))

    place = Desk(office.store, most_megabytes=1, clock=clock)
    app = create_app(Settings(refresh_seconds=1), LiveServices(office.store, clock), place)
    server = make_server("127.0.0.1", 0, app.server, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stop = start_watching(office.store, clock)
    yield Hall(f"http://127.0.0.1:{server.server_port}", office)
    stop.set()
    server.shutdown()
    server.server_close()
    office.store.control.close()


def drop(page, *files: Path) -> None:
    page.evaluate(DROP, [[[file.name, base64.b64encode(file.read_bytes()).decode()] for file in files]])


def two_sheets(path: Path) -> Path:
    book = openpyxl.Workbook()
    staff = book.active
    staff.title = "人员"
    for line in (["2025年1月人员编制月报"], ["单位代码", "单位名称", "编制人数", "实有人数", "用能人数"], ["A", "市财政局", 50, 48, 60], ["B", "市教育局", 40, 39, 45]):  # fmt: skip
        staff.append(line)
    book.create_sheet("联系人").append(["单位名称", "联系人", "说明"])
    book["联系人"].append(["市财政局", "办公室", "—"])
    book.save(path)
    return path


def test_a_clerk_hands_in_corrects_and_hands_in_again_while_a_board_is_open(hall, watch, tmp_path) -> None:
    messy = tmp_path / "一月支付.csv"
    messy.write_bytes(MESSY.encode("gb18030"))
    board = watch(hall.address + "/cost?node=R&period=2025-01&grain=month", wait=".tile").page
    funds = board.locator(".tile").first.locator(".value b")
    assert funds.inner_text() == "100"

    seen = watch(hall.address + "/hand-in?node=R", wait=".desk-drop")
    page = seen.page
    drop(page, messy, two_sheets(tmp_path / "人员.xlsx"))
    card = page.locator(".desk-card", has_text="一月支付.csv")
    card.locator(".desk-state.refused").wait_for(timeout=60_000)
    card.locator("[data-desk=column][data-label=用款部门] select").select_option("unit")
    stranger = card.locator("[data-desk=organisation] select")
    stranger.wait_for(timeout=60_000)
    assert "将入库 1 行" in card.locator(".desk-told").inner_text()
    assert "万元（表上方注明） → 元" in card.inner_text() or card.locator(".desk-unit", has_text="万元").count()
    stranger.select_option("B")
    card.locator(".desk-told", has_text="将入库 2 行").wait_for(timeout=60_000)
    assert card.locator("td.wrong", has_text="叁拾").count() == 1
    assert card.locator(".desk-aside", has_text="1 行以前报过").count() == 1
    card.locator("[data-desk=accept]").click()
    done = page.locator(".desk-card.done", has_text="一月支付.csv")
    done.wait_for(timeout=60_000)
    assert "入库 2 行" in done.inner_text()
    assert "待核 1 行" in done.inner_text()
    # the file is all of January: what was known before and is not in it is taken back, and the page had said so
    board.locator(".tile").first.locator(".value b", has_text="120").wait_for(timeout=30_000)

    staff = page.locator(".desk-card", has_text="人员.xlsx")
    staff.locator(".desk-state.received").wait_for(timeout=60_000)
    assert "其他工作表" in staff.inner_text()
    staff.locator("[data-desk=accept]").click()
    page.locator(".desk-card.done", has_text="人员.xlsx").wait_for(timeout=60_000)

    with page.expect_download() as caught:
        done.locator("a.act").click()
    sheet = tmp_path / "退改表.xlsx"
    caught.value.save_as(sheet)
    correct(sheet, "叁拾", "30")
    drop(page, sheet)
    back = page.locator(".desk-card", has_text="退改表.xlsx")
    back.locator(".desk-told", has_text="1 行改过").wait_for(timeout=60_000)
    back.locator("[data-desk=accept]").click()
    page.locator(".desk-card.done", has_text="退改表.xlsx").wait_for(timeout=60_000)
    board.locator(".tile").first.locator(".value b", has_text="150").wait_for(timeout=30_000)
    page.locator(".region-waiting:empty").wait_for(state="attached", timeout=30_000)
    assert seen.errors == []
    assert seen.outside == []


def correct(path: Path, wrong: str, right: str) -> None:
    book = openpyxl.load_workbook(path)
    for sheet in book.worksheets:
        for line in sheet.iter_rows():
            for cell in line:
                if cell.value == wrong:
                    sheet.cell(cell.row, cell.column + 1).value = right
    book.save(path)


def test_what_is_refused_is_said_and_the_page_goes_on(hall, watch, tmp_path) -> None:
    seen = watch(hall.address + "/hand-in?lang=en&theme=light", wait=".desk-drop")
    page = seen.page
    (tmp_path / "tool.exe").write_bytes(b"MZ\0\0")
    (tmp_path / "large.csv").write_bytes(b"x" * (2 << 20))
    drop(page, tmp_path / "tool.exe", tmp_path / "large.csv")
    page.locator(".desk-line.failed", has_text="tool.exe is not a table").wait_for(timeout=30_000)
    page.locator(".desk-line.failed", has_text="large.csv is larger than 1 MB").wait_for(timeout=30_000)
    assert page.locator(".desk-drop").is_visible()


@pytest.mark.parametrize("size", [(1366, 768), (1920, 1080), (390, 844)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_page_of_hand_overs_fits(hall, watch, tmp_path, size: tuple[int, int]) -> None:
    seen = watch(hall.address + "/hand-in?node=R", *size, wait=".desk-drop")
    messy = tmp_path / f"宽{size[0]}.csv"
    messy.write_bytes(MESSY.encode("gb18030"))
    drop(seen.page, messy)
    seen.page.locator(".desk-card.received table").first.wait_for(timeout=60_000)
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    cut = "[...document.querySelectorAll('.desk-unit')].filter(one => one.scrollWidth > one.clientWidth + 1).length"
    assert seen.page.evaluate(cut) == 0
    for name in ("数据", "期间", "状态"):  # seen without moving the table sideways
        box = seen.page.locator(".region-owed .ag-header-cell", has_text=name).first.bounding_box()
        assert box is not None and box["x"] + box["width"] <= size[0], name


def test_coming_and_going_leaves_nothing_behind(hall, watch) -> None:
    page = watch(hall.address + "/hand-in?node=R", wait=".desk-drop").page
    client = page.context.new_cdp_session(page)
    client.send("Performance.enable")

    def counted() -> tuple[float, float]:
        client.send("HeapProfiler.collectGarbage")
        metrics = {m["name"]: m["value"] for m in client.send("Performance.getMetrics")["metrics"]}
        return metrics["Nodes"], metrics["JSEventListeners"]

    def round_trips(count: int) -> None:
        for _ in range(count):
            for name in ("overview", "hand-in"):
                page.evaluate(f"document.getElementById('menu-{name}').click()")
                page.wait_for_timeout(400)

    round_trips(5)
    nodes, listeners = counted()
    round_trips(8)
    more_nodes, more_listeners = counted()
    assert more_nodes <= nodes * 1.02
    assert more_listeners <= listeners * 1.02
