"""The web server: gunicorn with threads, one app per process, each with its own read-only generation."""

from __future__ import annotations

import errno
import socket
from typing import Any

from gunicorn.app.base import BaseApplication

from callbacks.live import LiveServices
from cockpit.app import create_app
from cockpit.intake import Desk
from cockpit.push import add_push
from cockpit.settings import Settings, store_of
from warehouse.base.clock import system_clock
from warehouse.base.errors import CockpitError


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn, configured from Settings instead of a file."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Hand the settings to gunicorn."""
        chosen = {
            "bind": f"{self.settings.host}:{self.settings.port}",
            "workers": self.settings.workers,
            "threads": self.settings.threads,
            "worker_class": "gthread",
            "timeout": 60,
            "graceful_timeout": 5,
            "proc_name": "cockpit",
            "loglevel": "warning",
            "control_socket_disable": True,
        }
        for key, value in chosen.items():
            if key in self.cfg.settings:
                self.cfg.set(key, value)

    def load(self) -> Any:
        """Build the app inside the worker process."""
        settings, store = self.settings, store_of(self.settings)
        place = Desk(store, settings.upload_megabytes, has_portal=bool(settings.trust_proxy_user))
        services = LiveServices(store)
        server = create_app(settings, services, place).server
        add_push(server, services, settings, system_clock)
        return server


def refuse_taken(settings: Settings) -> None:
    """Say in words that nobody can listen where we are to, before anything is started."""
    place = f"{settings.host}:{settings.port}"
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does: one that ended is gone
            probe.bind(address)
    except OSError as error:
        hint = "end what listens there, or choose another port with --port"
        if error.errno == errno.EADDRINUSE:
            raise CockpitError(f"{place} is in use by another program.", hint) from error
        reason = error.strerror or str(error)
        raise CockpitError(f"Nobody can listen on {place}: {reason}.", "choose another --host or --port") from error


def run_server(settings: Settings) -> None:
    """Serve until told to stop."""
    Server(settings).run()
