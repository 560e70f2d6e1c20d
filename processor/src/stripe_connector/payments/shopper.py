"""The shopper who asks: by their session, which names a cart."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec import Struct

from stripe_connector.concurrency import both
from stripe_connector.gateways.commercetools.gateway import Commercetools
from stripe_connector.gateways.commercetools.models import Cart, Session
from stripe_connector.payments.offer import Offer
from stripe_connector.payments.own_account import OwnAccount


class Shopper(Struct, frozen=True):
    """A shopper who was let in."""

    cart_id: str
    read_session: Callable[[], Awaitable[Session]]
    """Reads the session as it is now. Raises Conflict if it has another cart by now."""


async def read_session_and_cart(
    shopper: Shopper,
    commercetools: Commercetools,
    account: OwnAccount,
    offer: Offer | None = None,
) -> tuple[Session, Cart]:
    """Both as they are now: what computes money trusts no cache.

    What is not known yet of our account is learned beside them.
    """
    read = both(shopper.read_session(), commercetools.get_cart(shopper.cart_id))
    learned = account.learn() if offer is None else both(account.learn(), offer.learn())
    return (await both(read, learned))[0]
