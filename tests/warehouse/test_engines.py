"""The store under the oldest engine that is allowed: what the newest wrote is read, examined, continued and read back.

`make engine` brings the oldest engine; COCKPIT_OLDEST_ENGINE names the folder it lies in.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.fakes.office import NOW, ORG, P1, P2, P2B, Office, pay
from warehouse.compaction import Policy, compact
from warehouse.publish import publish

ROOT = Path(__file__).parents[2]
OTHER = """
import datetime as dt, json, sys
from pathlib import Path
import duckdb
from warehouse.health.examine import examine
from warehouse.ingest import load
from warehouse.publish import publish
from warehouse.store import Store
store, now = Store(sys.argv[1]), dt.datetime.fromisoformat(sys.argv[3])
generation = store.open_generation()
read = {t: generation.con.execute(f'SELECT count(*), count(COLUMNS(*)) FROM "{t}"').fetchone()[0]
        for (t,) in generation.con.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main'").fetchall()}
generation.close()
found = [one.code for one in examine(store, clock=lambda: now).findings]
report = load(store, [Path(sys.argv[2])], clock=lambda: now)[0]
publish(store, clock=lambda: now)
print(json.dumps({"engine": duckdb.__version__, "read": read, "found": found, "status": report.status}))
"""


@pytest.fixture(scope="module")
def oldest() -> str:
    place = os.environ.get("COCKPIT_OLDEST_ENGINE", "")
    if not (Path(place) / "duckdb").is_dir() or not place:
        pytest.skip("the oldest engine is not here: make engine")
    return str(Path(place).resolve())


def test_a_store_goes_from_the_newest_engine_to_the_oldest_and_back(oldest: str, tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.hand_in("组织机构.csv", ORG)
    office.hand_in("支付.csv", pay(P1, P2))
    compact(office.store, Policy(most_segments=0), clock=lambda: NOW)
    publish(office.store, clock=lambda: NOW)
    (tmp_path / "更正.csv").write_text(pay(P1, P2B), encoding="utf-8")
    command = [
        sys.executable,
        "-c",
        OTHER,
        str(office.store.path),
        str(tmp_path / "更正.csv"),
        NOW.replace(day=20).isoformat(),
    ]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((oldest, str(ROOT)))}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["engine"] == "1.5.5" and duckdb.__version__ != told["engine"]
    assert (told["read"]["d_payment"], told["read"]["d_org_unit"], told["found"], told["status"]) == (
        2,
        3,
        [],
        "committed",
    )
    generation = office.store.open_generation()
    amounts = generation.con.execute(
        "SELECT voucher, amount::INT FROM d_payment WHERE rec_to > 99 AND amount > 150"
    ).fetchall()
    assert (generation.through_seq, amounts) == (3, [("V2", 250)])
