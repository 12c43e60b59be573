"""How the energy administration's further exports look."""

from __future__ import annotations

from samples.city.forms import Column, Form, field_of, month_words, name_of, plain

CARRIER_WORDS = {
    "electricity": "电", "water": "水", "natural_gas": "天然气", "coal_raw": "煤炭", "gasoline": "汽油",
    "diesel": "柴油", "heat": "热力", "diesel_other": "其他用途柴油",
}  # fmt: skip


def _carrier(row: object, _: object) -> str:
    return CARRIER_WORDS[getattr(row, "carrier")]  # noqa: B009  rows of several forms


END_USE = Form(
    "energy_end_use", "公共机构分用途能源消费表",
    (Column("统计期", month_words), Column("单位名称", name_of()), Column("能源用途", field_of("end_use")),
     Column("能源品种", _carrier), Column("用量", field_of("quantity")), Column("IT设备用电量", field_of("it_quantity"))),
    encoding="utf-8-sig",
)  # fmt: skip

REGISTER = Form(
    "energy_register", "公共机构名录",
    (Column("统计年度", field_of("year")), Column("单位名称", name_of()),
     *plain(institution_kind="单位性质", quota_zone="定额气候分区"),
     Column("建筑面积(㎡)", field_of("gross_area"), total=True), Column("采暖面积(㎡)", field_of("heated_area"), total=True),
     Column("用能人数", field_of("energy_headcount"), total=True),
     Column("编制人数", field_of("authorised_staff"), total=True),
     *plain(charging_points="充电桩数量", saving_office="节约型机关", water_saving="节水型单位",
            waste_sorting="垃圾分类达标", food_saving="反食品浪费达标", pv_capacity="光伏装机容量(千瓦)")),
    remarks=("注：节约型机关等以上年末公布名单为准。",),
)  # fmt: skip

SURVEY = Form(
    "energy_survey", "公共机构能源资源消费统计年报",
    (Column("统计年度", field_of("year")), Column("单位名称", name_of()), Column("能源品种", _carrier),
     *plain(quantity="全年消费量", cost="全年费用(元)", heating="其中采暖", transport="其中交通",
            machine_room="其中数据中心机房")),
    encoding="gb18030",
)  # fmt: skip

DISCLOSURE = Form(
    "energy_disclosure", "能源资源消费公示情况",
    (Column("公示期", month_words), Column("单位名称", name_of()), Column("公示日期", field_of("published_on")),
     Column("公示方式", field_of("channel"))),
)  # fmt: skip

ENERGY_FORMS: dict[str, Form] = {form.source: form for form in (END_USE, REGISTER, SURVEY, DISCLOSURE)}
