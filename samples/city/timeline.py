"""What happens when in the simulated city: months of the planted events and the days the office learnt of them."""

from __future__ import annotations

import datetime as dt

from samples.city.calendar import moment, month_no

RESTATED = month_no(2024, 5)
RESTATED_ON = moment(dt.date(2024, 8, 20), 10, 5)
MOVE = month_no(2024, 9)
TOPUP = month_no(2024, 9)
MILD_WINTER = tuple(range(month_no(2024, 11), month_no(2025, 4)))
MERGER = month_no(2025, 1)
MERGER_ON = moment(dt.date(2025, 4, 16), 9, 30)
CUSTODY = month_no(2025, 2)
GREEN_POWER = month_no(2025, 1)
OVER_STANDARD_CAR = month_no(2025, 2)
TWO_ROOMS = month_no(2025, 3)
OVER_QUOTA = month_no(2025, 3)
PARKED = (month_no(2025, 2), month_no(2025, 7))
RETROFIT = month_no(2025, 4)
BORROWED = (month_no(2025, 4), month_no(2026, 7))
LEASE = month_no(2025, 5)
COPIED = month_no(2025, 5)
OVER_ROOM = month_no(2025, 6)
LEAK = (month_no(2025, 6), month_no(2025, 7))
NEW_BUREAU = month_no(2025, 7)
NEW_BUREAU_ON = moment(dt.date(2025, 9, 18), 9, 30)
WRONG_UNIT = month_no(2025, 8)
WRONG_UNIT_ON = moment(dt.date(2025, 9, 12), 16, 20)
WRONG_UNIT_MENDED_ON = moment(dt.date(2025, 9, 24), 10, 40)
HOLIDAY_TRIPS = month_no(2025, 10)
NOT_REPORTED = month_no(2025, 10)
LATE_REPORT_ON = moment(dt.date(2025, 12, 20), 11, 15)
RETIRED_ROOM = month_no(2025, 11)
RUSH = month_no(2025, 12)
OVERRUN_YEAR = 2025
PLATFORM = month_no(2026, 1)
