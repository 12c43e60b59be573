"""Generated pages: the indicator handbook, the data dictionary, the standards, the settings. `--check` fails when one is stale."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from cockpit.settings import Settings
from docs import handbook
from docs.handbook import NOTICE
from warehouse.contracts import Column, Contract, load_contracts
from warehouse.health.finding import codes, finding

HERE = Path(__file__).parent


def dictionary() -> str:
    """Return the data dictionary: every source with its columns, the labels they are found by, and its checks."""
    return NOTICE + "# 数据字典 Data dictionary\n" + "".join(map(_contract, load_contracts().values()))


def _contract(contract: Contract) -> str:
    due = f"次月 {contract.due_day} 日前 by day {contract.due_day} of the next month" if contract.due_day else "—"
    head = (
        f"\n## {contract.name}\n\n**{contract.title['zh']}** · {contract.title['en']} · 报送 due: {due}\n\n"
        f"时间 time: {contract.time_kind} `{contract.time_column}` · {SLICES[contract.slice]}"
        f"{_slice_by(contract)}\n\n对应标准 standard: {contract.standard or '—'}\n\n"
        "| 列 column | 类型 type | 单位 unit | 主键 key | 必填 required | 表头 labels | 标准 standard |\n"
        "|---|---|---|---|---|---|---|\n"
    )
    rows = "".join(map(_column, contract.all_columns))
    checks = "".join(f"- `{check.code}`: {check.text['zh']} · {check.text['en']}\n" for check in contract.checks)
    return head + rows + (f"\n校验 checks\n\n{checks}" if checks else "")


SLICES = {"full": "全量文件 a file is the whole", "increment": "增量文件 a file is what changed"}


def _slice_by(contract: Contract) -> str:
    return f" ({', '.join(contract.slice_by)})" if contract.slice_by else ""


def _column(column: Column) -> str:
    marks = f"{'✓' if column.is_key else ''} | {'✓' if column.required else ''}"
    return (
        f"| {column.name} | {column.type} | {column.unit or ''} | {marks} | {'、'.join(column.aliases)} "
        f"| {column.standard or ''} |\n"
    )


def standards() -> str:
    """Return which source and column answers to which standard or form, and what is still to be verified."""
    head = (
        "# 标准对应 Standards\n\n标有“待核实”的对应关系来自记忆或二手材料，展示为规则前须以标准原文为准。"
        "What is marked 待核实 is recalled or second-hand and must be checked against the text of the standard.\n\n"
        "| 标准 standard | 数据源 source | 列 column | 表头 label |\n|---|---|---|---|\n"
    )
    return NOTICE + head + "".join(sorted(row for one in load_contracts().values() for row in _answers(one)))


def _answers(contract: Contract) -> Iterator[str]:
    if contract.standard:
        yield f"| {contract.standard} | {contract.name} | * | {contract.title['zh']} |\n"
    for column in contract.all_columns:
        if column.standard:
            yield f"| {column.standard} | {contract.name} | {column.name} | {column.aliases[0]} |\n"


def settings() -> str:
    """Return the settings table."""
    head = "# 设置 Settings\n\n| environment | type | default | meaning |\n|---|---|---|---|\n"
    rows = "".join(
        f"| COCKPIT_{name.upper()} | {_kind(field.annotation)} | `{field.default}` | {field.description} |\n"
        for name, field in Settings.model_fields.items()
    )
    return NOTICE + head + rows


def _kind(annotation: object) -> str:
    """Return what a setting is, without the sign that parts the cells of a table."""
    return str(getattr(annotation, "__name__", annotation)).replace("pathlib.", "").replace(" | None", " or none")


def doctor() -> str:
    """Return what `cockpit doctor` may find, and what to do then."""
    head = (
        "# 体检 What `cockpit doctor` finds\n\n`cockpit doctor [--deep] [--json]` · 0 正常 healthy · 1 有发现 findings · 2 不是库 not a"
        " store\n\n| code | 程度 severity | 发现 finding | 怎么办 what to do |\n|---|---|---|---|\n"
    )
    found = (finding(code, "FILE", "X", "Y") for code in codes())
    rows = (f"| {f.code} | {f.severity} | {f.zh}<br>{f.en} | {f.do_zh}<br>{f.do_en} |\n" for f in found)
    return NOTICE + head + "".join(rows)


PAGES: dict[str, Callable[[], str]] = {
    **handbook.PAGES, "dictionary.md": dictionary, "standards.md": standards, "settings.md": settings, "doctor.md": doctor,
}  # fmt: skip


def main(arguments: list[str]) -> int:
    """Write the pages, or with --check say which are stale."""
    stale = []
    for name, make in PAGES.items():
        path, text = HERE / name, make()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if "--check" not in arguments:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
    if stale and "--check" in arguments:
        print(f"Stale: {', '.join(stale)}. Run: make docs")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
