"""What a reader says about a file it cannot take: codes and places; the sentences live in `messages`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a file, where it is, and what would be right.

    `row` is 1-based as a spreadsheet counts it. `hint` carries what the sentence needs beyond the value:
    the right name, the suggestions, the kind of file it really is.
    """

    code: str
    file: str
    sheet: str | None = None
    row: int | None = None
    column: str | None = None
    value: str | None = None
    hint: str | None = None


class ReadRefused(Exception):
    """The file holds nothing that may be loaded; all faults that could be found are in it together."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(f"{fault.code} in {fault.file}" for fault in faults))
        self.faults: tuple[Fault, ...] = faults
