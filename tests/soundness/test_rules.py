"""Rules that hold per unit, room, car and row before anything is summed."""

from __future__ import annotations

from decimal import Decimal

from tests.soundness.town import after, car, pay, staff


def test_over_quota_is_counted_per_unit_and_class_before_it_is_summed(town, ask):
    for unit, klass, cars, quota in (
        ("a", "courier", 3, 1),
        ("a", "emergency", 1, 5),
        ("b", "courier", 1, 9),
        ("b", "special", 2, None),
    ):
        for number in range(cars):
            car(town, unit, "2024-01", f"{unit}{klass}{number}", veh_class=klass)
        if quota is not None:
            town.add("vehicle_quota", 1, valid=("2020-01",), unit=unit, veh_class=klass, quota=quota)
    asker = ask(town)
    assert asker.one("veh_over_quota", "root", "2024-01").value == 4
    parts = asker.all("veh_over_quota", "root", "2024-01", by="veh_class")
    assert {p.dim_value: p.value for p in parts} == {"courier": 2, "special": 2}
    assert asker.one("veh_quota_rate", "root", "2024-01").value == 7 / 15 * 100.0


def test_a_car_leaving_a_cell_later_takes_its_excess_back(town, ask):
    town.add("vehicle_quota", 1, valid=("2020-01",), unit="a", veh_class="courier", quota=1)
    car(town, "a", "2024-01", "1")
    car(town, "a", "2024-01", "2", known=(2, 3))
    car(town, "a", "2024-02", "9", known=3)
    asker = ask(town)
    seen = [asker.one("veh_over_quota", "root", "2024-01", known_at=after(seq)).value for seq in (1, 2, 3)]
    assert seen == [0, 1, 0]


def test_over_standard_follows_class_body_fuel_and_approval(town, ask):
    car(town, "a", "2024-01", "at the caps")
    car(town, "a", "2024-01", "dear", price="120000.01")
    car(town, "a", "2024-01", "big", displacement="1.8")
    car(town, "a", "2024-01", "approved", price="300000.00", approval="批〔2023〕1号")
    car(town, "a", "2024-01", "electric", price="175000.00", fuel="electric", displacement=None)
    car(town, "a", "2024-01", "scrapped", price="900000.00", status="scrapped")
    asker = ask(town)
    assert asker.one("veh_over_std", "root", "2024-01").value == 2
    assert asker.one("veh_count", "root", "2024-01").value == 5
    assert asker.one("veh_nev_share", "root", "2024-01").value == 20.0


def test_rooms_are_judged_by_post_level_persons_and_approval(town, ask):
    def room(number, area, **more):
        row = {"building": "B", "room_no": number, "unit": "a", "room_kind": "office", "rank": "staff", "persons": 1, "status": "in_use",
               "tenure": "owned", "compound": "x", "occupant_state": "active", "person_no": number}  # fmt: skip
        town.add("room", 1, valid=("2020-01",), usable_area=area, **{**row, **more})

    room("1", "9.00")
    room("2", "9.01")
    room("3", "18.00", persons=2)
    room("4", "30.00", approval="批")
    room("5", "90.00", room_kind="technical")
    room("6", "40.00", rank="bureau_head", person_no="1")
    room("7", "12.00", status="vacant", person_no=None)
    room("8", "20.00", tenure="leased", rank="bureau_head", occupant_state="retired")
    room("9", "5.00", tenure="leased", compound="elsewhere")
    staff(town, "a", "2024-01", 10)
    asker = ask(town)
    values = {
        x.indicator: x.value
        for x in asker.all(
            "off_over_rooms off_over_area off_vacant_area off_multi_rooms off_retired_rooms off_lease_vacant off_area_per_head",
            "a",
            "2024-01",
        )
    }
    assert values == {
        "off_over_rooms": 2, "off_over_area": Decimal("16.01"), "off_vacant_area": Decimal("12.00"), "off_multi_rooms": 1,
        "off_retired_rooms": 1, "off_lease_vacant": Decimal("20.00"), "off_area_per_head": 143.01 / 10,
    }  # fmt: skip


def test_trips_services_and_expenses_follow_their_rules(town, ask):
    for number, order, duty in ((1, None, False), (2, "", False), (3, "P1", False), (4, None, True)):
        town.add("trip", 1, plate="x", started_at=f"2024-01-0{number} 08:00:00", unit="a", order_no=order, duty=duty)
    for number, closed in ((1, "2024-01-02 10:00:00"), (2, "2024-01-02 10:00:01"), (3, None)):
        town.add(
            "work_order",
            1,
            order_no=str(number),
            unit="a",
            reported_at="2024-01-01 10:00:00",
            closed_at=closed,
            sla_hours="24.0",
            kind="水电",
        )
    town.add("evaluation", 1, month="2024-01", unit="a", service_kind="property", score="80.00", votes=10)
    town.add("evaluation", 1, month="2024-01", unit="a", service_kind="catering", score="95.00", votes=30)
    for number, kind in enumerate(("fuel", "topup", "repair")):
        town.add(
            "vehicle_expense", 1, receipt_no=str(number), unit="a", kind=kind, spent_on="2024-01-05", amount="100.00"
        )
    town.add("service_payment", 1, voucher="1", unit="a", paid_on="2024-01-05", amount="25000.00")
    asker = ask(town)
    values = {
        x.indicator: x.value
        for x in asker.all("veh_no_order svc_ontime svc_satisfaction veh_run_exp svc_amount", "root", "2024-01")
    }
    assert values == {
        "veh_no_order": 2,
        "svc_ontime": 50.0,
        "svc_satisfaction": 91.25,
        "veh_run_exp": Decimal("0.02"),
        "svc_amount": Decimal("2.5"),
    }


def test_funds_and_kinds_decide_what_is_three_public_and_operating_funds(town, ask):
    pay(town, "a", "2024-01-01", "1.00", item_code="30217")
    pay(town, "a", "2024-01-02", "10.00", item_code="30231", exp_kind="project")
    pay(town, "a", "2024-01-03", "100.00", item_code="31013", fund="other")
    pay(town, "a", "2024-01-04", "1000.00", item_code="ZJTX", exp_kind="accrual")
    pay(town, "a", "2024-12-04", "27.00")
    asker = ask(town)
    year = {
        x.indicator: x.numerator
        for x in asker.all("three_public_total op_funds_exp op_cost_total dec_spend_share", "a", "2024", "year")
    }
    assert year["three_public_total"] == Decimal("11.00")
    assert year["op_cost_total"] == Decimal("1038.00")
    assert year["dec_spend_share"] == Decimal("27.00")
    assert year["op_funds_exp"] == Decimal("28.00")
    assert asker.one("dec_spend_share", "a", "2024", "year").denominator == Decimal("138.00")
