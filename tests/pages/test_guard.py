"""Who is answered: this machine alone, or the users a portal names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cockpit.app import create_app
from tests.fakes.services import FakeServices
from tests.journeys.serve_fake import Settings

ALONE = create_app(Settings(), FakeServices()).server.test_client()
PORTAL = create_app(replace(Settings(), trust_proxy_user="X-User"), FakeServices()).server.test_client()
PATHS = ("/", "/_dash-layout", "/api/v1/version")


@pytest.mark.parametrize("host", ["localhost", "LocalHost:8050", "127.0.0.1:8050", "127.0.0.1", "[::1]", "[::1]:8050"])
def test_this_machine_is_served_on_any_port(host: str) -> None:
    assert [ALONE.get(path, headers={"Host": host}).status_code for path in PATHS] == [200, 200, 200]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8050", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.4:8050"]
)
def test_a_foreign_name_for_this_machine_is_refused(host: str) -> None:
    answers = [ALONE.get(path, headers={"Host": host}) for path in (*PATHS, "/assets/app.css")]
    assert [answer.status_code for answer in answers] == [403] * 4
    assert "Content-Security-Policy" in answers[0].headers


def test_behind_a_portal_only_named_users_are_served() -> None:
    for path in PATHS:
        assert PORTAL.get(path).status_code == 403
        assert PORTAL.get(path, headers={"X-User": " "}).status_code == 403
        assert PORTAL.get(path, headers={"X-User": "lin", "Host": "cockpit.office"}).status_code == 200
    assert PORTAL.post("/_dash-update-component", json={}).status_code == 403


def test_a_watchdog_needs_no_name() -> None:
    assert [PORTAL.get(path).status_code for path in ("/healthz", "/readyz")] == [200, 200]
