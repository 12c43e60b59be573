"""One export as the office received it: rows in base units, when, for which months, and in which form."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from samples.city.calendar import label
from samples.city.energy_forms import ENERGY_FORMS
from samples.city.forms import FORMS, Form
from samples.city.other_forms import BOOK_FORMS
from samples.city.papers import PAPERS
from samples.city.service_forms import SERVICE_FORMS

_FORMS = FORMS | ENERGY_FORMS | SERVICE_FORMS | PAPERS | BOOK_FORMS


@dataclass(frozen=True)
class Export:
    """A file to be written; `months` is the declared range, first and last."""

    path: str
    source: str
    recorded_at: dt.datetime
    rows: Sequence[Any]
    form: Form
    months: tuple[int, int] | None = None
    declared_from: int | None = None
    """First declared month, when the file also brings news of the month before."""
    believed: bool = True
    """False when every row must end in quarantine."""

    @property
    def title(self) -> str:
        """The title above the form, with its period when it has one."""
        if self.months is None:
            return f"模拟市{self.form.title}"
        first, last = self.months
        year = "".join(chr(0xFF10 + int(digit)) for digit in str(first // 12))
        if first == last:
            return f"模拟市{year}年{first % 12 + 1}月{self.form.title}"
        return f"模拟市{label(first)}至{label(last)}{self.form.title}"


def whole(source: str, sent: dt.datetime, rows: Sequence[Any], suffix: str = "xlsx") -> Export:
    """Return an export of a whole register."""
    form = _FORMS[source]
    kind = "csv" if form.encoding else suffix
    path = f"{sent.year}/{sent:%Y%m%d}_{form.title}.{kind}"
    return Export(path, source, sent, rows, form)


def monthly(
    source: str, sent: dt.datetime, rows: Sequence[Any], first: int, last: int, *, form: Form | None = None,
    tag: str = "", suffix: str = "xlsx", believed: bool = True,
) -> Export:  # fmt: skip
    """Return an export of one month or of some months in a row."""
    form = form or _FORMS[source]
    kind = "csv" if form.encoding else suffix
    span = label(first).replace("-", "")
    if first != last:
        span += "-" + label(last).replace("-", "")
    path = f"{sent.year}/{span}_{form.title}{tag}.{kind}"
    return Export(path, source, sent, rows, form, (first, last), believed=believed)
