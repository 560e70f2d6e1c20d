"""The Stripe account and mode of this processor's key, and whether that mode may sell here.

These do not change while the process runs, so they are read once.
"""

from __future__ import annotations

import contextlib

from stripe_connector.concurrency import both
from stripe_connector.errors import Conflict, ConnectorError
from stripe_connector.gateways.commercetools.gateway import Commercetools
from stripe_connector.gateways.stripe.gateway import Stripe
from stripe_connector.ledger.ours import Ours
from stripe_connector.ledger.payment import Payment
from stripe_connector.settings import Settings
from stripe_connector.single_flight import SingleFlight

CONTAINER = "stripe-connector"
LIVE_OWNER = "live-owner"
"""Custom object of post-deploy with live keys: the project takes real payments."""


class OwnAccount:
    """Decides which Payments are ours; refuses test mode sales in a project with live sales."""

    def __init__(self, commercetools: Commercetools, stripe: Stripe, settings: Settings) -> None:
        self._commercetools = commercetools
        self._stripe = stripe
        self._settings = settings
        self._flights: SingleFlight[str, None] = SingleFlight()
        self._ours: Ours | None = None
        self._may_sell: bool | None = True if self._never_refuses(settings) else None

    @property
    def live(self) -> bool:
        """Whether the key moves real money."""
        return self._settings.live_mode

    async def learn(self) -> None:
        """Read what is not known yet, concurrently with other calls.

        Raises nothing: a later use that needs the values raises the error.
        """
        if self._ours is None or self._may_sell is None:
            with contextlib.suppress(ConnectorError):
                await both(self.ours(), self.may_sell())

    async def ours(self) -> Ours:
        """The account and mode that Payments of this processor have.

        Raises StripeUnavailable where the key's account cannot be read from Stripe.
        """
        if self._ours is None:
            await self._flights.do("account", self._read_account)
        assert self._ours is not None  # noqa: S101 (the flight has set it)
        return self._ours

    async def may_sell(self) -> bool:
        """Whether orders of this project may be paid with this key.

        Not in test mode where a deployment with live keys owns the project, unless a setting
        allows it: a test card would pay for real goods.
        """
        if self._may_sell is None:
            await self._flights.do("owner", self._read_owner)
        return self._may_sell is True

    async def require_may_sell(self) -> None:
        """Raises Conflict where `may_sell` is false."""
        if not await self.may_sell():
            raise Conflict(
                "This processor has test keys, and the project takes real payments.",
                code="TestModeOnLiveProject",
            )

    async def require_ours(self, payment: Payment) -> None:
        """Raises Conflict, naming the account, for a Payment of another account or mode."""
        owner = (await self.ours()).other_owner(payment)
        if owner is not None:
            raise Conflict(
                f"The payment belongs to another Stripe account or mode: {owner}.",
                code="OtherAccount",
                fields={"paymentReference": payment.id, "account": owner},
            )

    async def _read_account(self) -> None:
        account = await self._stripe.find_account_id()
        self._ours = Ours(self._settings.payment_interface, account, self.live)

    async def _read_owner(self) -> None:
        found = await self._commercetools.find_custom_object(CONTAINER, LIVE_OWNER)
        self._may_sell = found is None

    @staticmethod
    def _never_refuses(settings: Settings) -> bool:
        return settings.live_mode or settings.test_mode_on_live_project
