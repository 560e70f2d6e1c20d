"""Everything that the Stripe stand-in remembers, and the ids, timers and events around it."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import random
import string
from collections.abc import Callable, Collection
from functools import partial
from typing import Any, Literal

from msgspec import Struct

from sandbox.clock import SandboxClock
from sandbox.stripe import versions
from sandbox.stripe.errors import StripeError, no_such
from sandbox.stripe.objects import JsonObject, Table, difference, snapshot

_ALPHABET = string.ascii_letters + string.digits
_DAY = 86_400.0


class Cause(Struct, frozen=True):
    """The API request that events are due to; without one Stripe itself acted."""

    id: str | None = None
    idempotency_key: str | None = None


class Attempt(Struct, frozen=True):
    """One try to deliver an event."""

    at: float
    status: int | None
    """None when nothing answered."""
    error: str | None = None


class Delivery(Struct):
    """An event on its way to one endpoint."""

    id: str
    event: str
    endpoint: str
    due: float
    status: Literal["pending", "held", "delivered", "failed", "lost"] = "pending"
    attempts: list[Attempt] = []


class StoredAnswer(Struct, frozen=True):
    """What an idempotency key replays."""

    fingerprint: bytes
    status: int
    body: bytes
    request_id: str
    at: float


class InternalError(Struct):
    """A fault inside Stripe: it happens under the idempotency layer, so keys store it.

    `before` has no effect, `after` has it although it fails. `later` is rolled forward: Stripe
    calls a 500 indeterminate and may complete the request afterwards, with its events
    (https://docs.stripe.com/error-low-level#server-errors); here that happens `seconds` later, or
    when `roll_forward` is called. `hold` fails nothing: the call waits, its key in use, until the
    rule is removed.
    """

    id: str
    path: str
    when: Literal["before", "after", "later", "hold"]
    method: str = "POST"
    seconds: float | None = None
    """For `later`: after how long; None waits for `roll_forward`."""
    times: int | None = 1
    """How many calls; None for all until removed."""
    skip: int = 0
    """How many matching calls pass unharmed first."""


class Stalled(Struct, frozen=True):
    """A request that was answered 500 and is still to be completed."""

    request_id: str
    path: str
    complete: Callable[[], object]


class Behaviour(Struct, forbid_unknown_fields=True):
    """What differs from account to account, and from card to card; switched on by hand."""

    default_version: str = versions.CURRENT
    """The account's own API version: events are rendered in it where no endpoint says another."""
    releases_make_refunds: bool = False
    """As in accounts whose default version is older than 2025-03-31.basil: what is cancelled,
    expired or not captured leaves a Refund object, too. Their charge, read in a newer version,
    does not count it:
    https://docs.stripe.com/changelog/basil/2025-03-31/remove-refund-from-partial-capture-and-payment-cancellation-flow
    How the Refund itself looks in a newer version is unconfirmed."""
    approves_at_most: int | None = None
    """Banks approve no more than this of a card payment; the intent's amount is then what they
    approved: https://docs.stripe.com/payments/partial-authorization"""
    authorization_seconds: float | None = None
    """How long new authorizations can be captured, where that is not a week: it differs by card
    network, country and kind of merchant:
    https://docs.stripe.com/payments/place-a-hold-on-a-payment-method"""


class SessionContents(Struct):
    """What belongs to a checkout session and is not part of its object."""

    params: dict[str, Any]
    """As it was created: a recovered session is made of them."""
    items: list[JsonObject]
    """Its lines."""
    coupon: JsonObject | None = None


class StripeState:
    """One Stripe account in one of its modes, which share nothing: keys, objects and events of test
    mode are unknown in live mode (https://docs.stripe.com/keys#test-live-modes). Live mode takes
    test cards here, too.

    With `seed` the ids are the same in every run. `authorization_seconds` is how long an
    authorization can be captured, `refund_seconds` how long the refunds of the asynchronous
    test cards take, `search_seconds` how long a new object stays invisible to searches.
    Call `run_due` after moving the clock: whatever should have happened by then happens.
    """

    def __init__(
        self,
        clock: SandboxClock,
        *,
        live: bool = False,
        secret_keys: Collection[str] | None = None,
        publishable_key: str | None = None,
        account: str = "acct_sandbox",
        public_url: str = "http://127.0.0.1:12111",
        seed: int | None = None,
        authorization_seconds: float = 7 * _DAY,
        refund_seconds: float = 60.0,
        search_seconds: float = 0.0,
    ) -> None:
        self.clock = clock
        self.live = live
        mode = "live" if live else "test"
        self.secret_keys = frozenset(secret_keys or (f"sk_{mode}_sandbox", f"rk_{mode}_sandbox"))
        self.publishable_key = publishable_key or f"pk_{mode}_sandbox"
        self.account = account
        self.account_readable = True
        """Whether the keys may read the account: a restricted one often may not."""
        self.charges_enabled = True
        self.payouts_enabled = True
        self.public_url = public_url
        self.authorization_seconds = authorization_seconds
        self.refund_seconds = refund_seconds
        self.search_seconds = search_seconds
        self.behaviour = Behaviour()
        self._seed = seed
        self.intents = Table("payment_intent")
        self.charges = Table("charge", ("payment_intent",))
        self.refunds = Table("refund", ("charge", "payment_intent"))
        self.disputes = Table("dispute", ("charge", "payment_intent"))
        self.customers = Table("customer")
        self.methods = Table("PaymentMethod")
        self.balance_transactions = Table("balance_transaction", ("source",))
        self.confirmation_tokens = Table("confirmation_token")
        self.sessions = Table("checkout.session")
        self.coupons = Table("coupon")
        self.products = Table("product")
        self.prices = Table("price")
        self.shipping_rates = Table("shipping rate")
        self.endpoints = Table("webhook_endpoint")
        self.domains = Table("payment_method_domain")
        self.configurations = Table("payment_method_configuration")
        self.events_by_id = Table("event")
        self._holds: dict[str, asyncio.Event] = {}
        self.wake: Callable[[], None] = lambda: None
        """Called when deliveries have become due; set by the deliverer."""
        self.reset()

    def reset(self) -> None:
        """Forget everything, webhook endpoints included; the clock keeps its time."""
        for held in self._holds.values():
            held.set()
        for table in (
            self.intents,
            self.charges,
            self.refunds,
            self.disputes,
            self.customers,
            self.methods,
            self.balance_transactions,
            self.confirmation_tokens,
            self.sessions,
            self.coupons,
            self.products,
            self.prices,
            self.shipping_rates,
            self.endpoints,
            self.domains,
            self.configurations,
            self.events_by_id,
        ):
            table.clear()
        self.behaviour = Behaviour()
        self.events: list[JsonObject] = []
        """Oldest first."""
        self.deliveries: dict[str, list[Delivery]] = {}
        """By event id."""
        self.outbox: list[Delivery] = []
        """Deliveries still to be made."""
        self.endpoint_secrets: dict[str, list[tuple[str, float | None]]] = {}
        """Signing secrets by endpoint, newest first, with the time at which each expires."""
        self.card_numbers: dict[str, str] = {}
        """By payment method id; objects never show them."""
        self.token_methods: dict[str, JsonObject] = {}
        """What a confirmation token will become, by token id."""
        self.customer_sessions: dict[str, JsonObject] = {}
        """By client secret, which is all that names them."""
        self.spent_methods: set[str] = set()
        """Methods used or detached without a customer: they cannot be used again."""
        self.set_up_methods: set[str] = set()
        """Methods authenticated for use off session."""
        self.session_contents: dict[str, SessionContents] = {}
        """By checkout session id."""
        self.sessions_by_intent: dict[str, JsonObject] = {}
        """The checkout sessions that payment intents belong to."""
        self.answers: dict[tuple[str, str], StoredAnswer] = {}
        """By API key and idempotency key, oldest first."""
        self.keys_in_use: set[tuple[str, str]] = set()
        self.internal_errors: list[InternalError] = []
        self.stalled: list[Stalled] = []
        """Oldest first."""
        self._holds = {}
        self.cause = Cause()
        self._random = random.Random(self._seed)
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._sequence = itertools.count()

    def now(self) -> int:
        """Unix time in whole seconds, as all of Stripe's times are."""
        return int(self.clock.time())

    def new_id(self, prefix: str, length: int = 24) -> str:
        return f"{prefix}_{self.random_text(length)}"

    def random_text(self, length: int) -> str:
        return "".join(self._random.choices(_ALPHABET, k=length))

    def schedule(self, delay: float, action: Callable[[], None]) -> None:
        """Do something `delay` seconds from now, by the sandbox's clock."""
        due = self.clock.time() + delay
        heapq.heappush(self._timers, (due, next(self._sequence), action))

    def run_due(self) -> None:
        """Let happen what the clock has reached, in order."""
        while self._timers and self._timers[0][0] <= self.clock.time():
            heapq.heappop(self._timers)[2]()

    def hold(self, rule: InternalError) -> asyncio.Event:
        """Set once calls that wait for the rule's removal may go on."""
        return self._holds.setdefault(rule.id, asyncio.Event())

    def remove_internal_errors(self, key: str | None = None) -> None:
        """Remove one rule, or all; calls held by them go on."""
        for rule in [each for each in self.internal_errors if key in (None, each.id)]:
            self.internal_errors.remove(rule)
            if rule.id in self._holds:
                self._holds.pop(rule.id).set()

    def stall(self, request: Stalled, seconds: float | None) -> None:
        """Keep a failed request, to be completed after `seconds` or by `roll_forward`."""
        self.stalled.append(request)
        if seconds is not None:
            self.schedule(seconds, partial(self._complete, request.request_id))

    def roll_forward(self, request_id: str | None = None) -> int:
        """Complete one request that failed with a 500, or all; how many there were.

        What cannot happen any more, such as the cancellation of a captured intent, does not.
        """
        due = [each for each in self.stalled if request_id in (None, each.request_id)]
        for request in due:
            self.stalled.remove(request)
            with contextlib.suppress(StripeError):
                request.complete()
        return len(due)

    def _complete(self, request_id: str) -> None:
        self.roll_forward(request_id)

    def find(self, table: Table, key: str, param: str) -> JsonObject:
        """The object that a parameter names, else 400."""
        found = table.get(key)
        if found is None:
            raise no_such(table.noun, key, param)
        return found

    def emit(self, kind: str, obj: JsonObject, before: JsonObject | None = None) -> JsonObject:
        """Record an event with a snapshot of `obj`.

        `before` is an earlier snapshot: the event then says what changed since.
        """
        data: dict[str, Any] = {"object": snapshot(obj)}
        if before is not None:
            data["previous_attributes"] = snapshot(difference(before, obj))
        subscribed = [each for each in self.endpoints if subscribes(each, kind)]
        event: JsonObject = {
            "id": self.new_id("evt"),
            "object": "event",
            "account": None,
            "api_version": self.behaviour.default_version,
            "context": None,
            "created": self.now(),
            "data": data,
            "livemode": self.live,
            "pending_webhooks": len(subscribed),
            "request": {
                "id": self.cause.id,
                "idempotency_key": self.cause.idempotency_key,
            },
            "type": kind,
        }
        self.events.append(event)
        self.events_by_id.add(event)
        for endpoint in subscribed:
            self.enqueue(event, endpoint)
        return event

    def enqueue(self, event: JsonObject, endpoint: JsonObject) -> Delivery:
        """Put an event on its way to an endpoint."""
        delivery = Delivery(self.new_id("wd"), event["id"], endpoint["id"], due=self.clock.time())
        self.deliveries.setdefault(event["id"], []).append(delivery)
        self.outbox.append(delivery)
        self.wake()
        return delivery


def subscribes(endpoint: JsonObject, kind: str) -> bool:
    """Whether an endpoint is to be told of events of a type."""
    enabled = endpoint["enabled_events"]
    return endpoint["status"] == "enabled" and ("*" in enabled or kind in enabled)
