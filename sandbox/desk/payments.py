"""The pages that show payments: the list, and one of them beside what Stripe has."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.demo.compare import Comparison, compare
from sandbox.desk.amounts import shown
from sandbox.desk.backends import STATES, AtStripe, Backends
from sandbox.desk.guard import Guard
from sandbox.desk.operations import NAMES, Action, Operation, Told, tell
from sandbox.desk.rendering import Pages
from sandbox.desk.sessions import Session
from sandbox.desk.standing import Standing, standing
from sandbox.desk.wire import Json, Refused, Unreachable

_SIZE = 25
_EVENTS = 50
_LONGEST_SEARCH = 100
_DISPUTES = "product_not_received fraudulent duplicate product_unacceptable".split()


class Mistake(Struct, frozen=True):
    """A form that was not sent on, and what to correct in it."""

    form: str
    message: str
    typed: str


class Payments:
    """What one can see; `changes` is what one can do."""

    def __init__(self, guard: Guard, pages: Pages, backends: Backends) -> None:
        self._guard = guard
        self._pages = pages
        self._backends = backends

    def routes(self) -> list[Route]:
        return [
            Route("/", self._guard.page(self.listing)),
            Route("/orders/{order_id}", self._guard.page(self.of_order)),
            Route("/payments/{id}", self._guard.page(self.show)),
        ]

    async def listing(self, request: Request, session: Session) -> Response:
        query = request.query_params
        search = query.get("q", "").strip()[:_LONGEST_SEARCH]
        state = query.get("state", "") if query.get("state") in STATES else ""
        page = page_of(request)
        found = await self._backends.commercetools.payments(search, state, page, _SIZE)
        rows = [(each, standing(each), found.orders.get(each["id"])) for each in found.payments]
        return self._pages.render(
            request,
            "payments.html",
            session,
            rows=rows,
            total=found.total,
            search=search,
            state=state,
            states={key: label for key, (label, _) in STATES.items()},
            page=page,
            last_page=max(-(-found.total // _SIZE), 1),
        )

    async def of_order(self, request: Request, _: Session) -> Response:
        """The payment of an order, or all of them where it has several."""
        order_id = request.path_params["order_id"][:_LONGEST_SEARCH]
        found = await self._backends.commercetools.payments(order_id, "", 1, _SIZE)
        address = f"/desk/?q={order_id}"
        if len(found.payments) == 1:
            address = f"/desk/payments/{found.payments[0]['id']}"
        return RedirectResponse(address, HTTPStatus.SEE_OTHER)

    async def show(self, request: Request, session: Session) -> Response:
        return await self.page(request, session)

    async def page(
        self, request: Request, session: Session, mistake: Mistake | None = None
    ) -> Response:
        """One payment; where Stripe is away, without what it has. `mistake` makes it a 422."""
        found = await self._backends.commercetools.payment(request.path_params["id"])
        if found is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        payment, order = found
        (at_stripe, hosted, trouble), events = await asyncio.gather(
            self._at_stripe(payment), self._events(payment)
        )
        operation = session.operation(request.query_params.get("operation", ""))
        if operation is not None and operation.wish.payment_id != payment["id"]:
            operation = None
        proposal = session.proposal(request.query_params.get("confirm", ""))
        if proposal is not None and (
            proposal.payment_id != payment["id"] or session.operation(proposal.key) is not None
        ):
            proposal = None
        now = standing(payment, at_stripe.disputes if at_stripe else ())
        return self._pages.render(
            request,
            "payment.html",
            session,
            HTTPStatus.UNPROCESSABLE_ENTITY if mistake else HTTPStatus.OK,
            payment=payment,
            order=order,
            now=now,
            stripe=at_stripe,
            hosted=hosted,
            trouble=trouble,
            comparison=_compared(payment, at_stripe),
            events=events,
            undelivered=sum(map(_is_undelivered, events)),
            operation=operation,
            told=_told(operation, now),
            mistake=mistake,
            proposal=proposal,
            proposed=proposal and NAMES[proposal.action],
            then=proposal and now.after(proposal.action, proposal.cents),
            reasons=_DISPUTES,
        )

    async def standing(self, request: Request) -> Standing:
        """Where the payment of the request stands, by what commercetools has of it."""
        found = await self._backends.commercetools.payment(request.path_params["id"])
        if found is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return standing(found[0])

    async def _at_stripe(self, payment: Json) -> tuple[AtStripe | None, Json | None, str]:
        """Stripe's objects, or the page that is not paid yet, or why there is neither."""
        session_id = _session_id(payment)
        try:
            if "interfaceId" in payment:
                return await self._backends.stripe.objects(payment["interfaceId"]), None, ""
            if session_id is not None:
                return None, await self._backends.stripe.session(session_id), ""
        except (Unreachable, Refused) as error:
            return None, None, str(error)
        return None, None, ""

    async def _events(self, payment: Json) -> list[Json]:
        about = payment.get("interfaceId") or _session_id(payment)
        if about is None:
            return []
        try:
            return list((await self._backends.stripe.events([about], size=_EVENTS))["events"])
        except (Unreachable, Refused):
            return []  # the page says already that Stripe is away


def _compared(payment: Json, stripe: AtStripe | None) -> Comparison | None:
    if stripe is None:
        return None
    return compare(payment, stripe.intent, stripe.refunds, stripe.disputes)


def _session_id(payment: Json) -> str | None:
    """The payment page that stands for an intent until the shopper confirms."""
    return next(
        (
            each["interactionId"]
            for each in payment["transactions"]
            if each.get("interactionId", "").startswith("cs_")
        ),
        None,
    )


def _is_undelivered(event: Json) -> bool:
    """Whether an endpoint subscribes to it and none has received it."""
    states = {each["status"] for each in event["deliveries"]}
    return bool(states) and "delivered" not in states


def _told(operation: Operation | None, now: Standing) -> Told | None:
    if operation is None:
        return None
    wish = operation.wish
    if wish.cents is None:
        return tell(operation, "")
    most = now.capturable if wish.action is Action.CAPTURE else now.refundable
    return tell(operation, shown(wish.cents, wish.currency), shown(most, now.currency))


def page_of(request: Request) -> int:
    """The page of a listing, from one."""
    given = request.query_params.get("page", "1")
    return max(int(given), 1) if given.isdecimal() and len(given) < 5 else 1
