"""How the exports of the other books look: disclosure, cost survey, quarterly energy survey, accounts, notes."""

from __future__ import annotations

from samples.city.calendar import label
from samples.city.energy_forms import CARRIER_WORDS
from samples.city.forms import Cell, Column, Form, Names, field_of, month_words, name_of, plain


def _tens(name: str) -> Column:
    def cell(row: object, _: Names) -> Cell:
        value: Cell = getattr(row, name)
        return value

    return Column({
        "total": "三公经费合计(万元)", "abroad": "因公出国(境)费(万元)", "bought": "公务用车购置费(万元)",
        "running": "公务用车运行维护费(万元)", "reception": "公务接待费(万元)",
    }[name], cell, total=True)  # fmt: skip


PUBLISHED = Form(
    "three_public", "三公经费决算公开汇总表",
    (Column("部门名称", name_of()), Column("决算年度", field_of("year")), Column("预决算", lambda *_: "决算"),
     *(_tens(name) for name in ("total", "abroad", "bought", "running", "reception"))),
)  # fmt: skip

SURVEY = Form(
    "cost_survey", "机关运行成本统计年报",
    (Column("成本填报单位", name_of()), Column("成本统计年度", field_of("year")),
     Column("机关运行成本合计(万元)", field_of("total"), total=True),
     *plain(depreciation="其中折旧摊销(万元)", utilities="其中水电气暖费(万元)", staff="年平均在职人数",
            area="年平均建筑面积(㎡)")),
)  # fmt: skip

QUARTER = Form(
    "energy_quarter", "公共机构能源资源消费统计季报",
    (Column("季报期末月", month_words), Column("季报填报单位", name_of()), Column("季报能源品种", lambda row, _: CARRIER_WORDS[row.carrier]),
     *plain(quantity="本季消费量", cost="本季费用(元)")),
    encoding="utf-8-sig",
)  # fmt: skip

BALANCE = Form(
    "account_balance", "科目余额表",
    (Column("核算单位", name_of()), Column("会计期间", lambda row, _: label(row.month)),
     *plain(code="科目编码", name="科目名称", side="余额方向", debit="本期借方(元)", credit="本期贷方(元)",
            closing="期末余额(元)")),
    encoding="utf-8-sig",
)  # fmt: skip

REMARK = Form(
    "reconcile_note", "口径差异说明表",
    (Column("差异说明单位", name_of()), *plain(indicator="差异指标"), Column("对账口径", lambda *_: "公开数"),
     *plain(amount="已说明差额", text="差异说明", document="差异说明文号", valid_from="说明期间起", valid_to="说明期间止")),
)  # fmt: skip

BOOK_FORMS: dict[str, Form] = {form.source: form for form in (PUBLISHED, SURVEY, QUARTER, BALANCE, REMARK)}
