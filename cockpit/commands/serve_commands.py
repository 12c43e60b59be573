"""`serve`, `worker` and `run`: the web server, the scheduler, and both together."""

from __future__ import annotations

import ipaddress
import os
import signal
import subprocess
import sys
from typing import Annotated

import typer

from cockpit.commands.common import StoreOption, err, store_at
from cockpit.settings import Settings
from warehouse.base.errors import CockpitError
from warehouse.store import Store

HostOption = Annotated[str | None, typer.Option(help="Address to listen on (default 127.0.0.1).")]
PortOption = Annotated[int | None, typer.Option(help="Port to listen on (default 8050).")]
WorkersOption = Annotated[int | None, typer.Option(help="Serving processes (default 1).")]
ProxyOption = Annotated[
    str | None, typer.Option("--trust-proxy-user", help="Header in which a portal in front passes the user's name.")
]


def serve(
    store: StoreOption = None, host: HostOption = None, port: PortOption = None, workers: WorkersOption = None,
    trust_proxy_user: ProxyOption = None,
) -> None:  # fmt: skip
    """Serve the pages; starts on an empty or missing store too and says how to load."""
    from cockpit.server import refuse_taken, run_server

    settings = _settings(store, host, port, workers, trust_proxy_user)
    refuse_taken(settings)
    err.print(f"Serving http://{settings.host}:{settings.port}  (store {settings.store})", markup=False)
    run_server(settings)


def worker(
    store: StoreOption = None,
    once: Annotated[bool, typer.Option("--once", help="Do what is due and end.")] = False,
) -> None:
    """Do what is due: publish, forecasts, warnings, daily and month-end snapshots."""
    from cockpit.worker import run_forever
    from warehouse.base.clock import system_clock

    place = store_at(store)
    if once:
        work_once(place)
    else:
        run_forever(place, system_clock, Settings().worker_minutes)


def work_once(place: Store) -> None:
    """Do what is due in a store, and end."""
    from cockpit.live import fold_and_publish
    from cockpit.worker import run_once
    from warehouse.base.clock import system_clock

    fold_and_publish(place, system_clock)
    run_once(place, system_clock())


def run(
    store: StoreOption = None, host: HostOption = None, port: PortOption = None, workers: WorkersOption = None,
    trust_proxy_user: ProxyOption = None,
) -> None:  # fmt: skip
    """Serve and work: both in one command."""
    from cockpit.server import refuse_taken, run_server

    settings = _settings(store, host, port, workers, trust_proxy_user)
    refuse_taken(settings)
    helper = subprocess.Popen(
        [sys.executable, "-m", "cockpit", "worker", "--store", str(settings.store)], start_new_session=True
    )
    err.print(f"Serving http://{settings.host}:{settings.port}  (store {settings.store})", markup=False)
    try:
        run_server(settings)
    finally:
        if helper.poll() is None:
            os.killpg(helper.pid, signal.SIGTERM)
            helper.wait(timeout=20)


def _settings(store: object, host: str | None, port: int | None, workers: int | None, proxy: str | None) -> Settings:
    given = {"store": store, "host": host, "port": port, "workers": workers, "trust_proxy_user": proxy}
    settings = Settings().model_copy(update={key: value for key, value in given.items() if value is not None})
    if not settings.trust_proxy_user and not _is_loopback(settings.host):
        raise CockpitError(
            f"'{settings.host}' can be reached from other machines and there is no sign-in yet.",
            "listen on 127.0.0.1, or name the header of a portal in front with --trust-proxy-user HEADER",
        )
    return settings


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
