"""A reader process: `python -m tests.fakes.reader STORE SECONDS`. It opens what is published and adds it up, again and again.

Every look is one line `through_seq batches facts cube`: the last batch, how many the generation lists, and the total of
all payments from the facts and from a second table of the same file. A look that fails is a line `failed …`.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from warehouse.store import Store


def look(store: Store) -> str:
    generation = store.open_generation()
    try:
        row = generation.con.execute(
            """SELECT (SELECT count(*) FROM batch WHERE batch_seq > 0),
                      (SELECT sum(amount)::BIGINT FROM d_payment WHERE rec_to = 2147483647),
                      (SELECT sum(total)::BIGINT FROM unit_total)"""
        ).fetchone()
        assert row
        return f"{generation.through_seq} {row[0]} {row[1]} {row[2]}"
    finally:
        generation.close()


def main() -> None:
    store, end = Store(Path(sys.argv[1])), time.monotonic() + float(sys.argv[2])
    while time.monotonic() < end:
        try:
            print(look(store), flush=True)
        except Exception as error:
            print(f"failed {type(error).__name__}: {error}", flush=True)


if __name__ == "__main__":
    main()
