"""A real PostgreSQL server for the tests: made in a folder of its own, thrown away after the run."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from warehouse.control import Control
from warehouse.postgres import Address
from warehouse.store import Store
from warehouse.transfer import copy_log
from warehouse.whereabouts import POINTER, claim, has_log, read_pointer

PASSWORD = "s3cret/ü@:"
"""With characters an address must quote."""
USER = "cockpit"
DATABASE = "office"
PROGRAMS = Path("/usr/lib/postgresql")
MEMORY = Path("/dev/shm")
PREFIX, OWNER = "cockpit-pg-", "owner"
_NUMBERS = itertools.count(1)


class Postgres:
    """A server on a loopback port of its own that asks for a password."""

    def __init__(self) -> None:
        # on a disk in memory a flush costs nothing, so the server runs as safely as a real one
        place = MEMORY if os.access(MEMORY, os.W_OK) else None
        _clear_abandoned(place or Path(tempfile.gettempdir()))
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
        (self.folder / OWNER).write_text(str(os.getpid()), encoding="utf-8")
        self.programs = programs()
        self.port = free_port()
        if os.geteuid() == 0:
            who = pwd.getpwnam(_user())
            os.chown(self.folder, who.pw_uid, who.pw_gid)
        secret = self.folder / "secret"
        secret.write_text(PASSWORD, encoding="utf-8")
        secret.chmod(0o644)
        self.run(
            "initdb", "-D", self.data, "-U", USER, "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8",
            "--locale=C.UTF-8", "--no-sync",
        )  # fmt: skip
        self.start()
        with self.connect("postgres") as con:
            con.execute(f'CREATE DATABASE "{DATABASE}"')

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def run(self, program: str, *arguments: object) -> None:
        with self.output().open("ab") as log:
            subprocess.run(self.command(program, *arguments), check=True, cwd="/", stdout=log, stderr=log)

    def output(self) -> Path:
        return self.folder.with_suffix(".log")

    def command(self, program: str, *arguments: object) -> list[str]:
        """As a user of its own, since root may not; what is left running ends when the tests end, however they do."""
        as_user = [f"--reuid={_user()}", f"--regid={pwd.getpwnam(_user()).pw_gid}", "--clear-groups"]
        prefix = ["setpriv", *(as_user if os.geteuid() == 0 else []), "--pdeathsig=INT"]
        return [*prefix, str(self.programs / program), *map(str, arguments)]

    def start(self) -> None:
        settings = {
            "listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "", "max_connections": 60,
            "shared_buffers": "64MB", "autovacuum": "off",
        }  # fmt: skip
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with self.output().open("ab") as log:
            self.process = subprocess.Popen(
                self.command("postgres", "-D", self.data, *options), cwd="/", stdout=log, stderr=log
            )
        deadline = time.monotonic() + 60
        while True:
            try:
                self.connect("postgres").close()
                return
            except psycopg.OperationalError:
                assert self.process.poll() is None and time.monotonic() < deadline, self.output().read_text()
                time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        self.process.send_signal(how)
        self.process.wait(timeout=60)

    def kill(self) -> None:
        """As a power cut would: every process of the server at once; it recovers at the next start."""
        children = [int(line) for line in _children(self.process.pid)]
        for process in (self.process.pid, *children):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.process.wait()
        while any(_alive(child) for child in children):
            time.sleep(0.01)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def remove(self) -> None:
        if self.process.poll() is None:
            self.stop(signal.SIGQUIT)
        _clear(self.folder)

    def connect(self, database: str = DATABASE, **options: Any) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=USER, password=PASSWORD, dbname=database, autocommit=True, **options
        )

    def fresh_schema(self) -> str:
        return f"store_{os.getpid()}_{next(_NUMBERS)}"

    def url(self, schema: str | None = None, *, password: str | None = PASSWORD) -> str:
        """An address as a person sets it in the environment."""
        from urllib.parse import quote

        secret = "" if password is None else f":{quote(password, safe='')}"
        tail = "" if schema is None else f"?schema={schema}"
        return f"postgresql://{USER}{secret}@127.0.0.1:{self.port}/{DATABASE}{tail}"


@contextlib.contextmanager
def stores_on(server: Postgres) -> Iterator[None]:
    """Let every store that is made have its log on the server; one that lies in a file, as a backup does, stays there."""
    made = Store.__init__

    def make(store: Store, path: Path | str, control_url: str = "") -> None:
        made(store, path, control_url)
        if not control_url and not has_log(store.path):
            schema = f"s{hashlib.sha256(str(store.path.absolute()).encode()).hexdigest()[:16]}"
            store.control_url = server.url(schema)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGPASSWORD", PASSWORD)
        patch.setattr(Store, "__init__", make)
        yield


def part_from(store: Store, server: Postgres) -> None:
    """Give a copied folder a copy of the log it names, in a schema of its own."""
    address, name = read_pointer(store.path)
    (store.path / POINTER).unlink()
    store.control_url = server.url(server.fresh_schema())
    place = store.log
    assert isinstance(place, Address)
    old, new = Control(address), Control(place)
    claim(store.path, place, new, has_data=False, store_id=name)
    copy_log(old.engine, new.engine)
    old.close()
    new.close()


def programs() -> Path:
    """Where Debian keeps the newest server's programs, or where the path finds them."""
    found = sorted(PROGRAMS.glob("*/bin/initdb"), key=lambda file: int(file.parts[-3]))
    if found:
        return found[-1].parent
    there = shutil.which("initdb")
    assert there, "no PostgreSQL: run sh tests/servers.sh"
    return Path(there).parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _user() -> str:
    return "postgres" if any(user.pw_name == "postgres" for user in pwd.getpwall()) else "nobody"


def _clear_abandoned(place: Path) -> None:
    """Remove the folders of runs that were killed; their servers ended with them."""
    for owner in place.glob(f"{PREFIX}*/{OWNER}"):
        with contextlib.suppress(OSError, ValueError):
            if not _alive(int(owner.read_text(encoding="utf-8"))):
                _clear(owner.parent)


def _clear(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.with_suffix(".log").unlink(missing_ok=True)


def _children(process: int) -> list[str]:
    return Path(f"/proc/{process}/task/{process}/children").read_text().split()


def _alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
