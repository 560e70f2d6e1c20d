"""docs/security.md says which limit each open route has; a second request tells if it is so."""

from __future__ import annotations

import pytest

from stripe_connector.http.auth import Open
from tests.behaviour.buy_now import ENABLED
from tests.behaviour.test_http_authentication import BUY_NOW, EXPECTED, Route, filled
from tests.unit.repository.test_security_docs import rows
from tests.world import World

ONE_EACH = {
    **ENABLED,
    "BFF_REQUESTS_PER_MINUTE": "1",
    "BFF_PAYMENT_PAGES_PER_MINUTE": "1",
    "BUY_NOW_SESSIONS_PER_MINUTE": "1",
    "STRIPE_APPLE_PAY_WELL_KNOWN": "constant",
}
LIMITED = {
    path: cells[2].startswith("`")
    for cells in rows("Open routes")
    for path in cells[0].replace("`", "").split(", ")
}
OPEN = sorted(route for route, auth in {**EXPECTED, **BUY_NOW}.items() if auth == Open())


@pytest.mark.parametrize("route", OPEN, ids=" ".join)
async def test_a_second_request_is_refused_where_the_page_says_so(route: Route) -> None:
    method, path = route
    world = World(ONE_EACH)
    answers = [
        await world.client.request(
            method,
            filled(path.replace("{resource_id}", "brass-pen-1")),
            json={} if method != "GET" else None,
        )
        for _ in range(2)
    ]
    assert answers[0].status_code != 429
    assert (answers[1].status_code == 429) is LIMITED[path.removesuffix("/") or "/"]
