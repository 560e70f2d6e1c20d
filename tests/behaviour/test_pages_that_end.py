"""A payment page that ends, by whoever's doing, while requests are working on it."""

from __future__ import annotations

import contextlib

from tests.behaviour.test_bff_payments import Shopper
from tests.behaviour.test_pages import Trace, ask, open_pages, opened, replaced
from tests.world import Json, World


async def _ends(world: World, page: Json) -> None:
    """The merchant closes the page, and the other instance hears of it at once."""
    other = world.start_processor()
    with contextlib.suppress(AssertionError):  # it is closed already
        await world.ask_stripe("POST", f"/v1/checkout/sessions/{page['id']}/expire")
    for event in list(world.stripe.events):
        assert (await world.deliver(event, other)).status_code == 200


async def test_a_page_that_ends_at_any_moment_of_its_replacement_has_one_successor() -> None:
    moment = 0
    while True:
        world, shopper, order_id, first = await replaced()
        trace = Trace(world, order_id)
        trace.at = moment

        async def end(world: World = world, first: Json = first) -> None:
            await _ends(world, first)

        trace.action = end
        answer = await ask(world, order_id)
        if trace.moments <= moment:
            break
        world.network.turn = None
        assert answer.status_code == 201, (moment, answer.text)
        assert open_pages(world, order_id) == [answer.json()["id"]]
        await _paid(world, shopper, order_id, answer.json())
        moment += 1


async def _paid(world: World, shopper: Shopper, order_id: str, page: Json) -> None:
    assert await opened(world, order_id) == page
    await shopper.pay(page)
    await world.deliver_all()
    assert await shopper.states(order_id) == ("Paid", "Confirmed")
