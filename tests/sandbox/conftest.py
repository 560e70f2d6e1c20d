"""Fixtures of the sandbox's tests."""

from __future__ import annotations

import pytest

from tests.sandbox.office import Office


@pytest.fixture
async def office() -> Office:
    office = Office()
    await office.sign_in()
    return office
