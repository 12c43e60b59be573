"""What the tests of the warehouse share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.office import ORG, Office


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """A store that knows two bureaux below one region."""
    office = Office(tmp_path)
    assert office.hand_in("组织机构.csv", ORG).status == "committed"
    return office
