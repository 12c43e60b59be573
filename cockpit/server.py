"""The web server: gunicorn with threads, one app per process, each with its own read-only generation."""

from __future__ import annotations

from typing import Any

from gunicorn.app.base import BaseApplication

from callbacks.live import LiveServices
from cockpit.app import create_app
from cockpit.intake import Desk
from cockpit.push import add_push
from cockpit.settings import Settings, store_of
from warehouse.base.clock import system_clock


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


def run_server(settings: Settings) -> None:
    """Serve until told to stop."""
    Server(settings).run()
