"""The sandbox's own routes: what at Stripe banks, shoppers, time and the Dashboard do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.stripe import attempts, checkout_payment, disputes, endpoints, methods, refunds
from sandbox.stripe.errors import StripeError, invalid_request, no_such, refused
from sandbox.stripe.objects import JsonObject, Table
from sandbox.stripe.state import Behaviour, InternalError, StripeState

_Endpoint = Callable[[Request], Awaitable[Response]]
_T = TypeVar("_T")


class _Advance(Struct, forbid_unknown_fields=True):
    advance: float


class _Skew(Struct, forbid_unknown_fields=True):
    seconds: float


class _Outcome(Struct, forbid_unknown_fields=True):
    outcome: Literal["succeed", "fail"]


class _Funding(Struct, forbid_unknown_fields=True):
    amount: int


class _Payment(Struct, forbid_unknown_fields=True):
    payment_method: str = "pm_card_visa"
    email: str = "shopper@example.com"
    name: str | None = None
    shipping_rate: str | None = None


class _NewDispute(Struct, forbid_unknown_fields=True):
    amount: int | None = None
    status: str = "needs_response"
    reason: str = "fraudulent"
    currency: str | None = None


class _DisputeStatus(Struct, forbid_unknown_fields=True):
    status: str
    reinstated: bool | None = None


class _RefundStatus(Struct, forbid_unknown_fields=True):
    status: str
    failure_reason: str | None = None


class _Account(Struct, forbid_unknown_fields=True):
    account: str | None = None
    """Another one: the same keys then belong to it, and it has none of the objects so far."""
    readable: bool | None = None
    """Whether the keys may read the account."""


class _Roll(Struct, forbid_unknown_fields=True):
    keep_seconds: float = 0.0


class _NewError(Struct, forbid_unknown_fields=True):
    path: str
    when: Literal["before", "after", "later", "hold"]
    method: str = "POST"
    seconds: float | None = None
    times: int | None = 1
    skip: int = 0


def routes(state: StripeState) -> list[Route]:
    """Routes under /_sandbox that move the account `state`."""

    async def advance(request: Request) -> Response:
        """Move the clock; whatever should have happened meanwhile happens."""
        seconds = (await _body(request, _Advance)).advance
        if seconds < 0:
            raise invalid_request("The clock cannot be moved back.", param="advance")
        state.clock.advance(seconds)
        state.run_due()
        state.wake()
        return _json({"now": state.clock.time()})

    async def skew(request: Request) -> Response:
        """Let what is signed, events and tokens, be signed by a clock that goes wrong."""
        state.clock.skew = (await _body(request, _Skew)).seconds
        return _json({"skew": state.clock.skew})

    async def clock(_: Request) -> Response:
        return _json({"now": state.clock.time()})

    async def reset(_: Request) -> Response:
        state.reset()
        return _json({})

    async def change_account(request: Request) -> Response:
        """Exchange the account behind the keys, or what they may read of it."""
        wanted = await _body(request, _Account)
        if wanted.account is not None and wanted.account != state.account:
            state.reset()
            state.account = wanted.account
        if wanted.readable is not None:
            state.account_readable = wanted.readable
        return _json({"account": state.account, "live": state.live})

    async def authenticate(request: Request) -> Response:
        """The shopper passes or fails the challenge or the bank's page."""
        succeed = (await _body(request, _Outcome)).outcome == "succeed"
        intent = _named(state.intents, request)
        attempts.finish_action(state, intent, succeed=succeed)
        return _json(intent)

    async def settle(request: Request) -> Response:
        """The bank pays or returns a delayed payment, or a shopper comes back from a redirect."""
        succeed = (await _body(request, _Outcome)).outcome == "succeed"
        intent = _named(state.intents, request)
        method = state.methods.get(intent["payment_method"] or "")
        if method is not None and method["type"] in methods.REDIRECTS:
            attempts.finish_action(state, intent, succeed=succeed)
        else:
            attempts.settle(state, intent, succeed=succeed)
        return _json(intent)

    async def fund(request: Request) -> Response:
        """A bank transfer comes in, whatever its amount."""
        amount = (await _body(request, _Funding)).amount
        intent = _named(state.intents, request)
        attempts.fund(state, intent, amount)
        return _json(intent)

    async def pay(request: Request) -> Response:
        """A shopper pays a checkout session, whatever page it is on."""
        asked = await _body(request, _Payment)
        state.run_due()
        session = _named(state.sessions, request)
        shopper = checkout_payment.Shopper(asked.email, asked.name)
        method = methods.use(state, asked.payment_method)
        checkout_payment.pay(state, session, method, shopper, asked.shipping_rate)
        return _json(session)

    async def dispute(request: Request) -> Response:
        asked = await _body(request, _NewDispute)
        charge = _named(state.charges, request)
        return _json(
            disputes.create(
                state,
                charge,
                amount=asked.amount,
                status=asked.status,
                reason=asked.reason,
                currency=asked.currency,
            )
        )

    async def move_dispute(request: Request) -> Response:
        asked = await _body(request, _DisputeStatus)
        moved = _named(state.disputes, request)
        disputes.move(state, moved, asked.status, reinstated=asked.reinstated)
        return _json(moved)

    async def move_refund(request: Request) -> Response:
        asked = await _body(request, _RefundStatus)
        moved = _named(state.refunds, request)
        refunds.move(state, moved, asked.status, asked.failure_reason)
        return _json(moved)

    async def roll(request: Request) -> Response:
        """A new signing secret; earlier ones sign along for a while."""
        asked = await _body(request, _Roll)
        endpoint = _named(state.endpoints, request)
        return _json({"secret": endpoints.roll_secret(state, endpoint, asked.keep_seconds)})

    async def list_events(request: Request) -> Response:
        """Newest first; with `about` those that mention any of these ids or types."""
        query = request.query_params
        about = frozenset(filter(None, query.get("about", "").split(",")))
        found = [
            event for event in reversed(state.events) if not about or about & _mentioned(event)
        ]
        offset, limit = _number(query.get("offset"), 0), _number(query.get("limit"), len(found))
        newest = [
            {**event, "deliveries": state.deliveries.get(event["id"], [])}
            for event in found[offset : offset + limit]
        ]
        return _json({"events": newest, "total": len(found)})

    async def activity(_: Request) -> Response:
        """Figures that differ as soon as anything has happened to an event."""
        deliveries = [each for several in state.deliveries.values() for each in several]
        return _json(
            {
                "events": len(state.events),
                "deliveries": len(deliveries),
                "attempts": sum(len(each.attempts) for each in deliveries),
                "waiting": sum(each.status in ("pending", "held") for each in deliveries),
            }
        )

    async def redeliver(request: Request) -> Response:
        """Send an event again to every enabled endpoint that had it, or else to all."""
        event = state.events_by_id.get(request.path_params["id"])
        if event is None:
            raise no_such("event", request.path_params["id"], in_path=True)
        had = {each.endpoint for each in state.deliveries.get(event["id"], ())}
        targets = [each for each in state.endpoints if each["id"] in had] or list(state.endpoints)
        if not targets:
            raise refused("There is no webhook endpoint.")
        return _json({"deliveries": [state.enqueue(event, each) for each in targets]})

    async def behave(request: Request) -> Response:
        """Switch what differs between accounts; what is not named is as it is by default."""
        state.behaviour = await _body(request, Behaviour)
        return _json(state.behaviour)

    async def list_errors(_: Request) -> Response:
        return _json({"errors": state.internal_errors})

    async def add_error(request: Request) -> Response:
        asked = await _body(request, _NewError)
        rule = InternalError(
            state.new_id("err"),
            asked.path,
            asked.when,
            asked.method,
            asked.seconds,
            asked.times,
            asked.skip,
        )
        state.internal_errors.append(rule)
        return _json(rule, 201)

    async def remove_error(request: Request) -> Response:
        state.remove_internal_errors(request.path_params.get("id"))
        return Response(status_code=204)

    async def list_stalled(_: Request) -> Response:
        """Requests that were answered 500 and wait to be completed."""
        return _json(
            {"stalled": [{"id": each.request_id, "path": each.path} for each in state.stalled]}
        )

    async def roll_forward(request: Request) -> Response:
        """Stripe completes what it answered 500; with an id in the path that request alone."""
        completed = state.roll_forward(request.path_params.get("id"))
        state.wake()
        return _json({"completed": completed})

    return [
        _route("GET", "/_sandbox/clock", clock),
        _route("POST", "/_sandbox/clock", advance),
        _route("POST", "/_sandbox/clock/skew", skew),
        _route("POST", "/_sandbox/stripe/reset", reset),
        _route("POST", "/_sandbox/stripe/account", change_account),
        _route("POST", "/_sandbox/stripe/payment_intents/{id}/authenticate", authenticate),
        _route("POST", "/_sandbox/stripe/payment_intents/{id}/settle", settle),
        _route("POST", "/_sandbox/stripe/payment_intents/{id}/fund", fund),
        _route("POST", "/_sandbox/stripe/checkout/sessions/{id}/pay", pay),
        _route("POST", "/_sandbox/stripe/charges/{id}/dispute", dispute),
        _route("POST", "/_sandbox/stripe/disputes/{id}", move_dispute),
        _route("POST", "/_sandbox/stripe/refunds/{id}", move_refund),
        _route("POST", "/_sandbox/stripe/webhook_endpoints/{id}/roll", roll),
        _route("GET", "/_sandbox/stripe/activity", activity),
        _route("GET", "/_sandbox/stripe/events", list_events),
        _route("POST", "/_sandbox/stripe/events/{id}/redeliver", redeliver),
        _route("POST", "/_sandbox/stripe/behaviour", behave),
        _route("GET", "/_sandbox/stripe/errors", list_errors),
        _route("POST", "/_sandbox/stripe/errors", add_error),
        _route("DELETE", "/_sandbox/stripe/errors", remove_error),
        _route("DELETE", "/_sandbox/stripe/errors/{id}", remove_error),
        _route("GET", "/_sandbox/stripe/stalled", list_stalled),
        _route("POST", "/_sandbox/stripe/stalled", roll_forward),
        _route("POST", "/_sandbox/stripe/stalled/{id}", roll_forward),
    ]


def _route(method: str, path: str, endpoint: _Endpoint) -> Route:
    async def answering(request: Request) -> Response:
        try:
            return await endpoint(request)
        except StripeError as error:
            return _json(error.body, error.status)

    return Route(path, answering, methods=[method])


async def _body(request: Request, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(await request.body() or b"{}", type=kind)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise invalid_request(str(error)) from error


def _mentioned(event: JsonObject) -> frozenset[str]:
    """The ids and the type that an event can be looked for by."""
    about = event["data"]["object"]
    names = (event["id"], event["type"], about.get("id"), about.get("payment_intent"))
    return frozenset(each for each in names if isinstance(each, str))


def _number(given: str | None, default: int) -> int:
    if given is None:
        return default
    if not given.isdecimal():
        raise invalid_request(f"Not a number: {given}")
    return int(given)


def _named(table: Table, request: Request) -> JsonObject:
    key = request.path_params["id"]
    found = table.get(key)
    if found is None:
        raise no_such(table.noun, key, in_path=True)
    return found


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
