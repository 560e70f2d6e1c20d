"""How the environment changes what the demo starts."""

from __future__ import annotations

import pytest

from sandbox.addresses import addresses
from sandbox.demo.start import more_origins

SHOP = "http://localhost:3000"
MINE = "http://localhost:3001"


@pytest.mark.parametrize(
    ("named", "settings"),
    [
        (None, {}),
        ("", {}),
        (MINE, {"ALLOWED_ORIGINS": f"{SHOP},{MINE}"}),
        (f"{MINE},{MINE}2", {"ALLOWED_ORIGINS": f"{SHOP},{MINE},{MINE}2"}),
    ],
)
def test_pages_of_ones_own_may_call_beside_the_shops(
    named: str | None, settings: dict[str, str]
) -> None:
    environ = {} if named is None else {"SANDBOX_MORE_ORIGINS": named}
    assert more_origins(addresses({}), environ) == settings
