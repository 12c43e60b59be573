"""Operational records beside the control log: forecasts, landings, warnings, snapshots and the worker's runs.

They are derived, but they are history: what was forecast or frozen then cannot be computed again by anybody who did
not keep it. Pulls say how far a database was read, which nothing else tells. Rows are appended; the only change ever made to a row is that a warning is closed.
Exact figures are text, instants are sortable UTC text, lists are JSON. The migrations make the tables.
"""

from warehouse.operations.explanation import EXPLANATION, ExplanationRow, add_explanation, explanations
from warehouse.operations.forecast import FORECAST, ForecastRow, add_forecasts, forecasts
from warehouse.operations.handover import HANDOVER, HandoverRow
from warehouse.operations.landing import LANDING, LandingRow, add_landings, landing_hashes, landings
from warehouse.operations.pull import PULL, PullRow, add_pull, last_pull, pulls
from warehouse.operations.run import RUN, RunRow, add_run, find_run, is_done, last_runs
from warehouse.operations.snapshot import (
    SNAPSHOT,
    SNAPSHOT_VALUE,
    SnapshotRow,
    SnapshotValueRow,
    add_snapshot,
    snapshot_values,
    snapshots,
)
from warehouse.operations.token import (
    ANSWER,
    TOKEN,
    AnswerRow,
    TokenRow,
    add_token,
    find_answer,
    find_token,
    keep_answer,
    revoke_token,
    tokens,
)
from warehouse.operations.warning import (
    READING,
    WARNING,
    Closing,
    ReadingRow,
    WarningChange,
    WarningRow,
    apply_warnings,
    readings,
    standing_warnings,
    warnings,
)

TABLES = (
    EXPLANATION,
    FORECAST,
    LANDING,
    WARNING,
    READING,
    SNAPSHOT,
    SNAPSHOT_VALUE,
    RUN,
    HANDOVER,
    PULL,
    TOKEN,
    ANSWER,
)

__all__ = [
    "ANSWER",
    "EXPLANATION",
    "FORECAST",
    "HANDOVER",
    "LANDING",
    "PULL",
    "READING",
    "RUN",
    "SNAPSHOT",
    "SNAPSHOT_VALUE",
    "TABLES",
    "TOKEN",
    "WARNING",
    "AnswerRow",
    "Closing",
    "ExplanationRow",
    "ForecastRow",
    "HandoverRow",
    "LandingRow",
    "PullRow",
    "ReadingRow",
    "RunRow",
    "SnapshotRow",
    "SnapshotValueRow",
    "TokenRow",
    "WarningChange",
    "WarningRow",
    "add_explanation",
    "add_forecasts",
    "add_landings",
    "add_pull",
    "add_run",
    "add_snapshot",
    "add_token",
    "apply_warnings",
    "explanations",
    "find_answer",
    "find_run",
    "find_token",
    "forecasts",
    "is_done",
    "keep_answer",
    "landing_hashes",
    "landings",
    "last_pull",
    "last_runs",
    "pulls",
    "readings",
    "revoke_token",
    "snapshot_values",
    "snapshots",
    "standing_warnings",
    "tokens",
    "warnings",
]
