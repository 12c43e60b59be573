"""Run the screens over invented figures: `python -m tests.journeys.serve_fake [city|energy|budget|empty] PORT`."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from cockpit.app import create_app
from tests.fakes.services import FakeServices, budget_only, energy_only

KINDS = {"city": FakeServices, "energy": energy_only, "budget": budget_only, "empty": lambda: FakeServices(empty=True)}


@dataclass(frozen=True)
class Settings:
    """No portal in front."""

    trust_proxy_user: str = ""
    refresh_seconds: int = 10


if __name__ == "__main__":
    app = create_app(Settings(), KINDS[sys.argv[1]]())
    app.server.run("127.0.0.1", int(sys.argv[2]), threaded=True)
