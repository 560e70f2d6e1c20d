"""Webhooks: events signed as Stripe signs them, and their delivery with retries."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections import defaultdict
from collections.abc import Sequence

import httpx
import msgspec

from sandbox.faults import FaultDesk
from sandbox.stripe import endpoints
from sandbox.stripe.objects import JsonObject
from sandbox.stripe.state import Attempt, Delivery, StripeState

RETRY_SECONDS = (1.0, 5.0, 30.0, 120.0, 600.0)
"""Waits between the tries of one delivery: Stripe's days, compressed."""
_LONGEST_WAIT = 1.0


def signature(payload: bytes, secrets: Sequence[str], at: int) -> str:
    """The Stripe-Signature header at a Unix time: one v1 signature for each secret."""
    signed_payload = b"%d.%s" % (at, payload)
    signatures = (
        hmac.new(secret.encode(), signed_payload, hashlib.sha256).hexdigest() for secret in secrets
    )
    return ",".join((f"t={at}", *(f"v1={each}" for each in signatures)))


def signed(event: JsonObject, secret: str, at: int) -> tuple[bytes, str]:
    """The body of an event and its signature header, as an endpoint would receive them."""
    payload = msgspec.json.encode(event)
    return payload, signature(payload, [secret], at)


class Deliverer:
    """Posts the events of a state to its endpoints.

    Every try is signed anew. Anything but a 2xx answer counts as a failure, redirects too, and
    is tried again after each of `retry_seconds` by the sandbox's clock. Faults of the backend
    "webhooks" match the event type where others match the path.
    """

    def __init__(
        self,
        state: StripeState,
        client: httpx.AsyncClient,
        desk: FaultDesk,
        *,
        retry_seconds: Sequence[float] = RETRY_SECONDS,
    ) -> None:
        self._state = state
        self._client = client
        self._desk = desk
        self._retry_seconds = retry_seconds
        self._decided: set[str] = set()
        """Deliveries that have met the fault desk: each meets it once."""
        self._held: dict[str, str] = {}
        """Fault by delivery: held until the fault is removed."""
        self._overtaken: dict[str, list[Delivery]] = defaultdict(list)
        """Deliveries by endpoint that let the next one pass."""
        self._arrived = asyncio.Event()

    async def run(self) -> None:
        """Deliver until cancelled."""
        self._state.wake = self._arrived.set
        while True:
            self._arrived.clear()
            await self.deliver_due()
            try:
                # the clock may be moved and faults removed at any time: look now and then
                async with asyncio.timeout(_LONGEST_WAIT):
                    await self._arrived.wait()
            except TimeoutError:
                continue

    async def deliver_due(self) -> None:
        """Try every delivery that is due, endpoints side by side, each in order."""
        self._state.run_due()
        self._release_held()
        due = self._due()
        for endpoint in [each for each in self._overtaken if each not in due]:
            # nothing came to overtake them
            due[endpoint] = self._overtaken.pop(endpoint)
        async with asyncio.TaskGroup() as group:
            for queue in due.values():
                group.create_task(self._deliver_all(queue))
        self._state.outbox = [
            each for each in self._state.outbox if each.status in ("pending", "held")
        ]

    def _due(self) -> dict[str, list[Delivery]]:
        now = self._state.clock.time()
        due: dict[str, list[Delivery]] = defaultdict(list)
        for delivery in self._state.outbox:
            if delivery.status == "pending" and delivery.due <= now:
                due[delivery.endpoint].append(delivery)
        return due

    async def _deliver_all(self, queue: list[Delivery]) -> None:
        for delivery in queue:
            if await self._deliver(delivery):
                for overtaken in self._overtaken.pop(delivery.endpoint, ()):
                    await self._deliver(overtaken)

    async def _deliver(self, delivery: Delivery) -> bool:
        """Make one try, unless a fault keeps it from happening; whether it happened."""
        event = self._state.events_by_id.get(delivery.event)
        if event is None:  # the account was reset meanwhile
            delivery.status = "lost"
            return False
        fault = None
        if delivery.id not in self._decided:
            self._decided.add(delivery.id)
            fault = self._desk.decide("webhooks", "POST", event["type"])
        if fault is not None and fault.kind != "repeat":
            delivery.status = "lost" if fault.kind == "lose" else "held"
            if fault.kind == "hold":
                self._held[delivery.id] = fault.id
            elif fault.kind == "reorder":
                self._overtaken[delivery.endpoint].append(delivery)
            return False
        if fault is not None:
            await self._try(delivery, event)
        await self._try(delivery, event)
        return True

    async def _try(self, delivery: Delivery, event: JsonObject) -> None:
        state = self._state
        endpoint = state.endpoints.get(delivery.endpoint)
        if endpoint is None or endpoint["status"] != "enabled":
            # what an endpoint misses while it is disabled is not sent to it later
            delivery.status = "failed"
            return
        version = endpoint["api_version"] or event["api_version"]
        payload = msgspec.json.encode({**event, "api_version": version})
        at = state.clock.time()
        # the verifier has a clock that was not moved
        signed_at = int(state.clock.outside())
        header = signature(payload, endpoints.secrets_of(state, endpoint["id"]), signed_at)
        try:
            response = await self._client.post(
                endpoint["url"],
                content=payload,
                headers={
                    "content-type": "application/json; charset=utf-8",
                    "stripe-signature": header,
                    "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
                },
                follow_redirects=False,
            )
        except httpx.HTTPError as error:
            attempt = Attempt(at, None, f"{type(error).__name__}: {error}")
        else:
            attempt = Attempt(at, response.status_code)
        delivery.attempts = [*delivery.attempts, attempt]
        if attempt.status is not None and httpx.codes.is_success(attempt.status):
            if delivery.status != "delivered":
                event["pending_webhooks"] = max(0, event["pending_webhooks"] - 1)
            delivery.status = "delivered"
        elif delivery.status != "delivered":
            delivery.status = "pending"
            self._retry(delivery)

    def _retry(self, delivery: Delivery) -> None:
        tries = len(delivery.attempts)
        if tries > len(self._retry_seconds):
            delivery.status = "failed"
        else:
            delivery.due = self._state.clock.time() + self._retry_seconds[tries - 1]

    def _release_held(self) -> None:
        for delivery in self._state.outbox:
            fault = self._held.get(delivery.id)
            if fault is not None and fault not in self._desk:
                del self._held[delivery.id]
                delivery.status = "pending"
