"""What the desk reads: payments and orders of commercetools, objects and events of Stripe."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping

import httpx
from msgspec import Struct

from sandbox.desk.places import Places
from sandbox.desk.tokens import ApiClient, MerchantCenter
from sandbox.desk.wire import Json, Refused, Wire, named

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOST = 100

STATES: Mapping[str, tuple[str, str]] = {
    "capture": (
        "To capture",
        'transactions(type="Authorization" and state="Success")'
        ' and not(transactions(type="Charge" and state="Success"))'
        ' and not(transactions(type="CancelAuthorization" and state="Success"))',
    ),
    "paid": ("Paid", 'transactions(type="Charge" and state="Success")'),
    "refunded": ("Refunded", 'transactions(type="Refund" and state="Success")'),
    "cancelled": ("Cancelled", 'transactions(type="CancelAuthorization" and state="Success")'),
    "disputed": ("Disputed", 'transactions(type="Chargeback")'),
    "working": (
        "In progress",
        'transactions(state="Pending") or transactions(state="Initial")',
    ),
    "failed": ("Failed", 'transactions(type="Authorization" and state="Failure")'),
    "started": ("Not paid yet", "transactions is empty"),
    "mismatch": ("Amount differs", 'paymentStatus(interfaceCode="amount_mismatch")'),
    "no-order": ("Paid, no order", 'paymentStatus(interfaceCode="order_failed")'),
}
"""What one can filter payments by: the words, and commercetools' predicate."""


INSIDE = {"store_before": "before", "store_after": "after", "store_later": "later"}
"""Failures inside Stripe: its idempotency key keeps them (`sandbox.stripe.state.InternalError`)."""
_INSIDE_BY_MOMENT = {moment: kind for kind, moment in INSIDE.items()}


class Found(Struct, frozen=True):
    """A page of payments, and the orders that they belong to, by payment id."""

    payments: list[Json]
    total: int
    orders: dict[str, Json]


class AtStripe(Struct, frozen=True):
    """All of Stripe's objects of one payment, oldest first."""

    intent: Json
    charges: list[Json]
    refunds: list[Json]
    disputes: list[Json]
    bookings: list[Json]
    """Balance transactions."""


class Commercetools:
    """The merchant's project."""

    def __init__(self, wire: Wire, reader: ApiClient, project: str) -> None:
        self._wire = wire
        self._reader = reader
        self._project = project

    async def recurring(self) -> Json:
        """Recurring orders and recurring payment jobs, as the stand-in sums them up."""
        return await self._wire.ask("GET", "/_sandbox/commercetools/recurring")

    async def payments(self, search: str, state: str, page: int, size: int) -> Found:
        """Newest first. `search` is the id of a payment, an intent or an order, or a number."""
        where = []
        parameters: dict[str, str] = {}
        if search:
            where.append(await self._predicate(search))
            parameters["var.search"] = search
        if state in STATES:
            where.append(f"({STATES[state][1]})")
        if where:
            parameters["where"] = " and ".join(where)
        answer = await self._ask(
            "payments",
            sort="createdAt desc",
            limit=str(size),
            offset=str((page - 1) * size),
            **parameters,
        )
        payments = answer["results"]
        orders = await self._orders(each["id"] for each in payments)
        return Found(payments, answer["total"], orders)

    async def payment(self, payment_id: str) -> tuple[Json, Json | None] | None:
        """A payment and its order, if it has one; None where there is no such payment."""
        try:
            payment, orders = await asyncio.gather(
                self._ask(f"payments/{named(payment_id)}"), self._orders([payment_id])
            )
        except Refused as refused:
            if refused.status != httpx.codes.NOT_FOUND:
                raise
            return None
        return payment, orders.get(payment_id)

    async def newest(self) -> str:
        """Differs as soon as any payment has changed."""
        answer = await self._ask("payments", sort="lastModifiedAt desc", limit="5")
        changed = [(each["id"], each["version"]) for each in answer["results"]]
        return f"{answer['total']} {changed}"

    async def _predicate(self, search: str) -> str:
        """Payments by their own names, or by those of their order."""
        order = "orderNumber=:search or id=:search or cart(id=:search)"
        answer = await self._ask("orders", **{"where": order, "var.search": search})
        ids = [
            f'"{reference["id"]}"'
            for each in answer["results"]
            for reference in each.get("paymentInfo", {}).get("payments", [])
        ]
        by_order = f" or id in ({', '.join(ids)})" if ids else ""
        own = "id=:search or interfaceId=:search or transactions(interactionId=:search)"
        return f"({own}{by_order})"

    async def _orders(self, payment_ids: Iterable[str]) -> dict[str, Json]:
        ids = [f'"{each}"' for each in payment_ids if _UUID.fullmatch(each)]
        if not ids:
            return {}
        where = f"paymentInfo(payments(id in ({', '.join(ids)})))"
        answer = await self._ask("orders", where=where, limit=str(_MOST))
        return {
            reference["id"]: order
            for order in answer["results"]
            for reference in order["paymentInfo"]["payments"]
        }

    async def _ask(self, path: str, **parameters: str) -> Json:
        answer = await self._reader.send(
            self._wire, "GET", f"/{self._project}/{path}", params=parameters
        )
        return self._wire.document(answer)


class Stripe:
    """The merchant's Stripe account, and the stand-in's own routes around it."""

    def __init__(self, wire: Wire, key: str) -> None:
        self._wire = wire
        self._headers = {"Authorization": f"Bearer {key}"}

    async def objects(self, intent_id: str) -> AtStripe:
        """Everything that belongs to an intent."""
        of_intent = {"limit": str(_MOST), "payment_intent": intent_id}
        intent, charges, refunds, disputes = await asyncio.gather(
            self._get(f"payment_intents/{named(intent_id)}", **{"expand[]": "latest_charge"}),
            self._list("charges", **of_intent),
            self._list("refunds", **of_intent),
            self._list("disputes", **of_intent),
        )
        booked = await asyncio.gather(
            *(
                self._list("balance_transactions", source=each["id"], limit=str(_MOST))
                for each in (*charges, *refunds, *disputes)
            )
        )
        bookings = sorted((b for several in booked for b in several), key=lambda b: b["created"])
        return AtStripe(intent, charges, refunds, disputes, bookings)

    async def session(self, session_id: str) -> Json:
        """A Checkout Session."""
        return await self._get(f"checkout/sessions/{named(session_id)}")

    async def events(self, about: Iterable[str] = (), page: int = 1, size: int = 50) -> Json:
        """`events` newest first with their deliveries, and the `total`."""
        parameters = {"limit": str(size), "offset": str((page - 1) * size)}
        if wanted := ",".join(about):
            parameters["about"] = wanted
        return await self._wire.ask("GET", "/_sandbox/stripe/events", params=parameters)

    async def redeliver(self, event_id: str, times: int = 1) -> None:
        """Send an event again."""
        for _ in range(times):
            await self._admin(f"stripe/events/{named(event_id)}/redeliver", {})

    async def dispute(self, charge_id: str, **wanted: object) -> None:
        """The bank disputes a charge."""
        await self._admin(f"stripe/charges/{named(charge_id)}/dispute", wanted)

    async def move_dispute(self, dispute_id: str, status: str) -> None:
        await self._admin(f"stripe/disputes/{named(dispute_id)}", {"status": status})

    async def clock(self) -> float:
        """The stand-in's Unix time in seconds."""
        return float((await self._wire.ask("GET", "/_sandbox/clock"))["now"])

    async def advance(self, seconds: int) -> None:
        """Move the stand-in's clock forward."""
        await self._admin("clock", {"advance": seconds})

    async def faults(self) -> list[Json]:
        """The fault desk's rules in force, which are the same at every backend, and Stripe's own
        internal errors."""
        answer = await self._wire.ask("GET", "/_sandbox/faults")
        inside = await self._wire.ask("GET", "/_sandbox/stripe/errors")
        return [
            *answer["faults"],
            *(
                {**each, "kind": _INSIDE_BY_MOMENT[each["when"]], "backend": "stripe"}
                for each in inside["errors"]
                if each["when"] in _INSIDE_BY_MOMENT
            ),
        ]

    async def add_fault(self, fault: Json) -> None:
        """A rule of the fault desk, or an internal error, which Stripe stores under its key."""
        if fault["kind"] not in INSIDE:
            await self._admin("faults", fault)
            return
        names = ("path", "method", "times", "skip")
        wanted = {name: fault[name] for name in names if name in fault}
        wanted["method"] = "POST"  # only what has a key is stored
        await self._admin("stripe/errors", {**wanted, "when": INSIDE[fault["kind"]]})

    async def stalled(self) -> list[Json]:
        """Requests that Stripe answered 500 and can still complete."""
        return list((await self._wire.ask("GET", "/_sandbox/stripe/stalled"))["stalled"])

    async def complete(self, request_id: str) -> None:
        """Let Stripe roll such a request forward."""
        await self._admin(f"stripe/stalled/{named(request_id)}", {})

    async def remove_fault(self, fault_id: str | None) -> None:
        """One rule, or all of them; one that is gone already is no mistake."""
        if fault_id is None:
            await self._wire.send("DELETE", "/_sandbox/stripe/errors")
        inside = (fault_id or "").startswith("err_")
        rules = "/_sandbox/stripe/errors" if inside else "/_sandbox/faults"
        path = rules if fault_id is None else f"{rules}/{named(fault_id)}"
        answer = await self._wire.send("DELETE", path)
        if answer.status_code != httpx.codes.NOT_FOUND:
            self._wire.document(answer)

    async def activity(self) -> str:
        """Differs as soon as anything has happened to an event or a delivery."""
        return str(await self._wire.ask("GET", "/_sandbox/stripe/activity"))

    async def _admin(self, path: str, body: Mapping[str, object]) -> None:
        await self._wire.ask("POST", f"/_sandbox/{path}", json=body)

    async def _get(self, path: str, **parameters: str) -> Json:
        return await self._wire.ask("GET", f"/v1/{path}", params=parameters, headers=self._headers)

    async def _list(self, path: str, **parameters: str) -> list[Json]:
        return list(reversed((await self._get(path, **parameters))["data"]))


class Backends:
    """Everything that the desk talks to, over one client."""

    def __init__(self, client: httpx.AsyncClient, places: Places) -> None:
        self.places = places
        self.processor = Wire(client, "The processor", places.processor)
        self._commercetools = Wire(client, "commercetools", places.commercetools)
        self._issuer = Wire(client, "The Merchant Center's token issuer", places.jwt)
        reader = ApiClient("The desk", places.reader, self._commercetools)
        self.commercetools = Commercetools(self._commercetools, reader, places.project)
        self.stripe = Stripe(Wire(client, "Stripe", places.stripe), places.stripe_key)

    def merchant_center(self, subject: str) -> MerchantCenter:
        """A person of the Merchant Center."""
        return MerchantCenter("Merchant Center", subject, self._issuer, self.places)

    def checkout(self) -> ApiClient:
        """Checkout's backend."""
        return ApiClient("Checkout", self.places.checkout, self._commercetools)

    async def look(self) -> Mapping[str, str]:
        """What each topic of live updates looks like now; raises Unreachable."""
        payments, events, faults = await asyncio.gather(
            self.commercetools.newest(), self.stripe.activity(), self.stripe.faults()
        )
        return {"payments": payments, "events": events, "faults": str(faults)}
