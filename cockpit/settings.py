"""Every setting of a deployment in one table: name, type, default, help. Parser and docs derive from it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from warehouse.store import Store


class Settings(BaseSettings):
    """Read from the environment as COCKPIT_<NAME>; the command line overrides."""

    model_config = SettingsConfigDict(env_prefix="COCKPIT_", frozen=True)

    store: Path = Field(default=Path("store"), description="Folder of the store.")
    language: Literal["zh", "en"] = Field(
        default="zh", description="Language of what query, review list and load --dry-run print for people: zh or en."
    )
    control_url: SecretStr = Field(
        default=SecretStr(""),
        description="Address of the PostgreSQL database that keeps the control log of a store made now, for several "
        "machines: postgresql://user@host:5432/database?schema=name. Empty: SQLite in the folder of the store.",
    )
    pulls: Path | None = Field(
        default=None, description="Folder of declarations of databases as sources (docs/databases.md); none: no pulls."
    )
    data: Path = Field(
        default=Path("../shared/data"), description="Folder of public data sets the real samples are cut from."
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on; only loopback until sign-in exists.")
    port: int = Field(default=8050, description="Port to listen on.")
    workers: int = Field(default=1, description="Serving processes.")
    threads: int = Field(default=4, description="Threads of a serving process.")
    trust_proxy_user: str = Field(
        default="", description="Name of the header in which a portal in front passes the user."
    )
    refresh_seconds: int = Field(default=3, description="How often an open page asks whether there is something new.")
    upload_megabytes: int = Field(default=50, description="Largest file taken on the page, in megabytes.")
    keep_undecided_days: int = Field(
        default=7,
        ge=1,
        description="Days a file given in on the page waits for its owner's decision before the worker drops it.",
    )
    inbox_folder: Path | None = Field(
        default=None,
        description="Watched folder: the worker loads what is put there and moves it to done/ or refused/; "
        "a sub-folder names who hands in.",
    )
    inbox_seconds: float = Field(
        default=1.0,
        gt=0,
        description="How often the watched folder is looked at; a file is taken when two looks find it the same.",
    )
    fold_seconds: float = Field(
        default=60.0, gt=0, description="How often pushed readings and positions are folded to days."
    )
    reading_days: int = Field(
        default=60, ge=3, description="Days that pushed readings are kept; the days folded from them stay."
    )
    position_days: int = Field(
        default=30,
        ge=2,
        description="Days that vehicle positions are kept, also the files they came in; the vehicle days stay.",
    )
    push_bytes: int = Field(default=2_000_000, gt=0, description="Largest body of a push, in bytes.")
    push_rows: int = Field(default=10_000, gt=0, description="Most rows of a push.")
    push_per_minute: int = Field(
        default=120, gt=0, description="Pushes a minute one token may make at each serving process."
    )
    worker_minutes: int = Field(default=5, description="How often the worker looks for due jobs.")
    compact_segments: int = Field(
        default=24, description="Segments of one source beyond which the nightly upkeep makes one history of them."
    )
    compact_share: float = Field(
        default=0.5, description="New rows per row of the history beyond which the nightly upkeep makes a new one."
    )
    keep_replaced_days: int = Field(
        default=14, description="Days that segments replaced by a history stay on the disk."
    )


def store_of(settings: Settings) -> Store:
    """Return the store a deployment names."""
    return Store(settings.store, settings.control_url.get_secret_value())
