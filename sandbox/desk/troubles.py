"""The page of the fault desk: what is to go wrong, where, and how often."""

from __future__ import annotations

from http import HTTPStatus
from typing import get_args

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.desk.backends import INSIDE, Backends
from sandbox.desk.guard import Guard
from sandbox.desk.rendering import Pages
from sandbox.desk.sessions import Session
from sandbox.desk.wire import Json, Refused
from sandbox.faults import HttpKind, WebhookKind

_ADDRESS = "/desk/faults"
_BACKENDS = {
    "stripe": "Stripe's API",
    "commercetools": "commercetools' API",
    "webhooks": "Stripe's webhooks",
}
KINDS = {
    "delay": "Answer late",
    "fail_before": "Fail, without effect",
    "fail_after": "Fail, although it had its effect",
    "drop_before": "Drop the connection, without effect",
    "drop_after": "Drop the connection, although it had its effect",
    "store_before": "Store a 500 under the key, without effect",
    "store_after": "Store a 500 under the key, although it had its effect",
    "store_later": "Store a 500 under the key; the effect comes when you complete it",
    "lose": "Lose the event",
    "repeat": "Deliver the event twice",
    "reorder": "Deliver the event after the next one",
    "hold": "Hold events until the fault is removed",
}
_ROUTES = {
    "/v1/refunds": "Stripe: refunds",
    "/v1/payment_intents/*/capture": "Stripe: captures",
    "/v1/payment_intents/*/cancel": "Stripe: cancellations",
    "/v1/payment_intents*": "Stripe: payment intents",
    "/v1/checkout/sessions*": "Stripe: payment pages",
    "/*/payments/*": "commercetools: changes of a payment",
    "/*/carts/*": "commercetools: carts",
    "/oauth/*": "commercetools: tokens and introspection",
    "charge.refunded": "Webhook: a charge was refunded",
    "refund.*": "Webhook: refunds",
    "payment_intent.*": "Webhook: payment intents",
    "charge.dispute.*": "Webhook: disputes",
}
_NUMBERS = {"times": "how often", "skip": "how many first", "status": "the status"}


class Ready(Struct, frozen=True):
    """A fault that one often wants, for one click."""

    title: str
    says: str
    fields: dict[str, str]


READY = (
    Ready(
        "Stripe's next refund gets lost on its way back",
        "The money moves, the processor gets a 500.",
        {"backend": "stripe", "kind": "fail_after", "method": "POST", "path": "/v1/refunds"},
    ),
    Ready(
        "Stripe stores a 500 for the next refund, and may complete it later",
        "The refund waits; below you decide when Stripe completes it, or never.",
        {"backend": "stripe", "kind": "store_later", "method": "POST", "path": "/v1/refunds"},
    ),
    Ready(
        "Stripe stores a 500 for the next capture, and may complete it later",
        "One of several captures waits; the last one goes out again once the intent is read.",
        {
            "backend": "stripe",
            "kind": "store_later",
            "method": "POST",
            "path": "/v1/payment_intents/*/capture",
        },
    ),
    Ready(
        "Stripe is down for everything that changes something",
        "Every POST gets a 503 until the fault is removed.",
        {
            "backend": "stripe",
            "kind": "fail_before",
            "method": "POST",
            "path": "*",
            "times": "",
            "status": "503",
        },
    ),
    Ready(
        "commercetools drops the next change of a payment",
        "The change is stored, the answer never arrives.",
        {
            "backend": "commercetools",
            "kind": "drop_after",
            "method": "POST",
            "path": "/*/payments/*",
        },
    ),
    Ready(
        "Hold all webhooks",
        "They are delivered once the fault is removed.",
        {"backend": "webhooks", "kind": "hold", "path": "*", "times": ""},
    ),
)


class Troubles:
    """Adds faults and takes them away; all backends of the sandbox share one list."""

    def __init__(self, guard: Guard, pages: Pages, backends: Backends) -> None:
        self._guard = guard
        self._pages = pages
        self._stripe = backends.stripe

    def routes(self) -> list[Route]:
        return [
            Route("/faults", self._guard.page(self.show)),
            Route("/faults", self._guard.form(self.add), methods=["POST"]),
            Route("/faults/remove", self._guard.form(self.remove), methods=["POST"]),
            Route("/faults/complete", self._guard.form(self.complete), methods=["POST"]),
        ]

    async def show(self, request: Request, session: Session) -> Response:
        return await self._page(request, session, {}, "")

    async def add(self, request: Request, session: Session, fields: dict[str, str]) -> Response:
        try:
            fault = _fault(fields)
            if session.first_time(fields.get("key", "")):
                await self._stripe.add_fault(fault)
        except (ValueError, Refused) as error:
            return await self._page(request, session, fields, str(error))
        return RedirectResponse(_ADDRESS, HTTPStatus.SEE_OTHER)

    async def remove(self, _: Request, __: Session, fields: dict[str, str]) -> Response:
        await self._stripe.remove_fault(fields.get("id") or None)
        return RedirectResponse(_ADDRESS, HTTPStatus.SEE_OTHER)

    async def complete(self, _: Request, __: Session, fields: dict[str, str]) -> Response:
        """Stripe rolls a request forward that it had answered with a 500."""
        await self._stripe.complete(fields.get("id", ""))
        return RedirectResponse(_ADDRESS, HTTPStatus.SEE_OTHER)

    async def _page(
        self, request: Request, session: Session, typed: dict[str, str], problem: str
    ) -> Response:
        return self._pages.render(
            request,
            "faults.html",
            session,
            HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
            faults=await self._stripe.faults(),
            stalled=await self._stripe.stalled(),
            typed=typed,
            problem=problem,
            backends=_BACKENDS,
            kinds=KINDS,
            http_kinds=get_args(HttpKind),
            inside_kinds=INSIDE,
            webhook_kinds=get_args(WebhookKind),
            places=_ROUTES,
            ready=READY,
        )


def _fault(fields: dict[str, str]) -> Json:
    """The rule that a form asks for; raises ValueError with words for people."""
    fault: Json = {name: fields.get(name, "") for name in ("backend", "kind")}
    for name in ("method", "path"):
        fault[name] = fields.get(name, "").strip() or "*"
    for name, words in _NUMBERS.items():
        if name not in fields:
            continue
        given = fields[name].strip()
        if given and not (given.isascii() and given.isdecimal() and len(given) < 5):
            raise ValueError(f"Enter a whole number for {words}.")
        if given or name == "times":
            fault[name] = int(given) if given else None
    if seconds := fields.get("seconds", "").strip():
        try:
            fault["seconds"] = float(seconds)
        except ValueError as error:
            raise ValueError("Enter a number of seconds, such as 2.5.") from error
    return fault
