"""Which payment methods a cart can be paid with: session, rule, component and account decide.

An intent carries either automatic methods (with or without a configuration's id) or the types that
are allowed; the two exclude each other, and none of them may change later
(https://docs.stripe.com/changelog/dahlia/2026-07-29/allowed-payment-method-types-parameter). The
element in the browser gets the same choice.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import Struct

from stripe_connector.clock import Clock
from stripe_connector.errors import Conflict, ConnectorError
from stripe_connector.gateways.commercetools.models import SessionMetadata
from stripe_connector.gateways.stripe.gateway import Stripe
from stripe_connector.gateways.stripe.models import MethodConfiguration
from stripe_connector.ledger.stripe_objects import PaymentIntent
from stripe_connector.method_names import read_names
from stripe_connector.payments.behaviour import Behaviour
from stripe_connector.settings import Settings
from stripe_connector.single_flight import SingleFlight

if TYPE_CHECKING:
    from stripe_connector.gateways.stripe.params import IntentCreateParams

logger = logging.getLogger(__name__)

METHOD_CONFIGURATION = "ct_method_configuration"
"""Metadata of an intent: the configuration that a rule named at its creation."""
_KEPT_S = 600.0
"""How long an account's configurations count as known."""
_WAIT_S = 2.0
"""How long a request waits for them."""
_ASK_AGAIN_S = 30.0
"""Seconds after which they are asked for again where Stripe did not answer."""


class MethodChoice(Struct, frozen=True):
    """How an intent and an element choose their methods; the default is all of the account's."""

    allowed: tuple[str, ...] | None = None
    """The types, in order of their names."""
    configuration: str | None = None
    """`pmc_...`; None with `allowed`."""

    def add_to(self, params: IntentCreateParams) -> None:
        """Add the choice to the parameters of a new intent."""
        if self.allowed is not None:
            params["allowed_payment_method_types"] = list(self.allowed)
            return
        params["automatic_payment_methods"] = {"enabled": True}
        if self.configuration is not None:
            params["payment_method_configuration"] = self.configuration


class Offer:
    """Chooses methods, with what the account has switched on at Stripe."""

    def __init__(self, stripe: Stripe, clock: Clock, settings: Settings) -> None:
        self._stripe = stripe
        self._clock = clock
        rules = settings.stripe_payment_behavior_rules.values()
        self._needed = any(rule.payment_methods is not None for rule in rules)
        self._known: list[MethodConfiguration] | None = None
        self._known_until = 0.0
        self._flights: SingleFlight[str, None] = SingleFlight()

    async def learn(self) -> None:
        """Read what a restricted session will need, concurrently with other calls.

        Reads nothing before the first such session. Raises nothing: what is known stays in use, and
        without any only Stripe judges the types.
        """
        if self._needed and self._clock.monotonic() >= self._known_until:
            with contextlib.suppress(ConnectorError, TimeoutError):
                async with asyncio.timeout(_WAIT_S):
                    await self._flights.do("configurations", self._read)

    async def choose(
        self, metadata: SessionMetadata, behaviour: Behaviour, component: str | None = None
    ) -> MethodChoice:
        """The methods that session, rule, component and account allow alike.

        Unknown names of a session are dropped with a warning. Raises Conflict where none is left.
        """
        session, unknown = read_names(metadata.allowed_payment_methods)
        if unknown:
            logger.warning("Unknown payment methods", extra={"fields": {"names": unknown[:10]}})
        single = None if component is None else frozenset({component})
        sets = [each for each in (session, behaviour.payment_methods, single) if each is not None]
        if not sets:
            return MethodChoice(configuration=behaviour.payment_method_configuration)
        self._needed = True
        await self.learn()
        offered = self.offered(behaviour.payment_method_configuration)
        allowed = frozenset.intersection(*sets, *([] if offered is None else [offered]))
        if not allowed:
            raise _none_left(metadata.allowed_payment_methods, component)
        return MethodChoice(tuple(sorted(allowed)))

    def fits(self, intent: PaymentIntent, choice: MethodChoice) -> bool:
        """Whether an intent chooses its methods like this; only a new one can choose otherwise."""
        if frozenset(intent.allowed_payment_method_types or ()) != frozenset(choice.allowed or ()):
            return False
        if choice.allowed is not None:
            return True
        # Without a rule's configuration the intent names the account's own, whichever that is: what
        # was asked for stands in the metadata, except in intents of versions before.
        details = intent.payment_method_configuration_details
        asked = intent.metadata.get(METHOD_CONFIGURATION)
        if asked is None and details is not None and details.id == choice.configuration:
            return True
        return asked == choice.configuration

    async def allowed_types(self, choice: MethodChoice) -> frozenset[str] | None:
        """The types of stored methods that may pay; None where nothing is known to exclude any."""
        if choice.allowed is not None:
            return frozenset(choice.allowed)
        if choice.configuration is None:
            return None
        self._needed = True
        await self.learn()
        return self.offered(choice.configuration)

    async def list_offered(self) -> frozenset[str] | None:
        """The types that the account's default configuration offers; None where unknown."""
        self._needed = True
        await self.learn()
        return self.offered(None)

    def offered(self, configuration: str | None) -> frozenset[str] | None:
        """The types that are switched on in a configuration, or in the default one.

        None where the key may not read them or Stripe has not answered.
        """
        for each in self._known or ():
            if each.id == configuration or (configuration is None and each.is_default):
                return each.types
        return None

    async def _read(self) -> None:
        try:
            found = await self._stripe.list_method_configurations()
        except ConnectorError:
            self._known_until = self._clock.monotonic() + _ASK_AGAIN_S
            raise
        self._known = found if found is not None else []
        self._known_until = self._clock.monotonic() + _KEPT_S


def _none_left(names: Iterable[str], component: str | None) -> Conflict:
    told = f" The session allows {', '.join(names) or 'any'}."
    asked = f" The component asks for {component}." if component else ""
    return Conflict(
        "No payment method is left that the session, the shop's rules and the Stripe account"
        f" allow.{told}{asked}",
        code="NoPaymentMethod",
    )
