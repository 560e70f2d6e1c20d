"""The Stripe stand-in as an ASGI application: authentication, versions, errors, routes."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from fnmatch import fnmatchcase
from functools import partial

import msgspec
from msgspec import Struct
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.stripe import (
    account,
    admin,
    cash_balance,
    charges,
    checkout_coupons,
    checkout_pages,
    checkout_routes,
    cli_routes,
    configurations,
    customers,
    disputes,
    domains,
    endpoints,
    events,
    expansion,
    idempotency,
    intent_routes,
    methods,
    products,
    refunds,
    stripe_js,
    tokens,
    versions,
)
from sandbox.stripe.calls import Call, Operation
from sandbox.stripe.errors import StripeError, internal_error, invalid_request, unauthorized
from sandbox.stripe.forms import decode
from sandbox.stripe.objects import JsonObject
from sandbox.stripe.state import Cause, InternalError, Stalled, StoredAnswer, StripeState

OPERATIONS: tuple[Operation, ...] = (
    *intent_routes.OPERATIONS,
    *refunds.OPERATIONS,
    *charges.OPERATIONS,
    *methods.OPERATIONS,
    *customers.OPERATIONS,
    *tokens.OPERATIONS,
    *checkout_routes.OPERATIONS,
    *checkout_coupons.OPERATIONS,
    *products.OPERATIONS,
    *cash_balance.OPERATIONS,
    *disputes.OPERATIONS,
    *events.OPERATIONS,
    *endpoints.OPERATIONS,
    *domains.OPERATIONS,
    *configurations.OPERATIONS,
    *account.OPERATIONS,
)
"""Every route of the API that Stripe documents."""

_UNDOCUMENTED = (*stripe_js.OPERATIONS, *cli_routes.OPERATIONS)
"""What Stripe's own programs call besides."""

_Endpoint = Callable[[Request], Awaitable[Response]]


def create_app(state: StripeState) -> Starlette:
    """Stripe's API, its payment page and the sandbox's own routes over one account."""
    return Starlette(
        routes=[
            *(_route(state, each) for each in (*_UNDOCUMENTED, *OPERATIONS)),
            *admin.routes(state),
            *checkout_pages.routes(state),
            *stripe_js.routes(),
        ],
        exception_handlers={404: _unknown_url, 405: _unknown_url},
    )


def _route(state: StripeState, operation: Operation) -> Route:
    """A route of the API; pages of other origins may call those that are for browsers."""
    if not operation.browser:
        return Route(operation.path, _endpoint(state, operation), methods=[operation.method])
    cors = Middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=[operation.method],
        allow_headers=["*"],
        expose_headers=["request-id"],
    )
    return Route(
        operation.path,
        _endpoint(state, operation),
        methods=[operation.method, "OPTIONS"],
        middleware=[cors],
    )


class _Reply(Struct):
    """What is sent, and what an idempotency key may keep."""

    status: int
    body: bytes
    stored: bool = True


def _endpoint(state: StripeState, operation: Operation) -> _Endpoint:
    async def endpoint(request: Request) -> Response:
        if request.method not in (operation.method, "HEAD"):  # OPTIONS without a preflight
            return await _unknown_url(request, None)
        state.run_due()
        request_id = state.new_id("req", 14)
        headers = {"request-id": request_id}
        try:
            version = versions.check(request.headers.get("stripe-version", versions.CURRENT))
            headers["stripe-version"] = version
            key = _authenticate(state, operation, request)
            if operation.method == "POST" and "idempotency-key" in request.headers:
                reply = await _once(state, operation, request, key, version, headers)
            else:
                reply = await _run(state, operation, request, key, version, Cause(request_id))
        except StripeError as error:
            reply = _failed(error)
        if reply.status == 409:
            headers["stripe-should-retry"] = "true"
        return Response(reply.body, reply.status, headers, "application/json")

    return endpoint


async def _once(
    state: StripeState,
    operation: Operation,
    request: Request,
    key: str,
    version: str,
    headers: dict[str, str],
) -> _Reply:
    """Run an operation under the idempotency key of the request, or replay its answer."""
    idempotency_key = request.headers["idempotency-key"]
    headers["idempotency-key"] = idempotency_key
    print_ = idempotency.fingerprint("POST", request.url.path, await request.body())
    kept = idempotency.recall(state, key, idempotency_key, print_)
    if kept is not None:
        headers["idempotent-replayed"] = "true"
        headers["original-request"] = kept.request_id
        return _Reply(kept.status, kept.body)
    request_id = headers["request-id"]
    owner = (key, idempotency_key)
    state.keys_in_use.add(owner)
    try:
        reply = await _run(
            state, operation, request, key, version, Cause(request_id, idempotency_key)
        )
    finally:
        state.keys_in_use.discard(owner)
    if reply.stored:
        state.answers[owner] = StoredAnswer(
            print_, reply.status, reply.body, request_id, state.clock.time()
        )
    return reply


async def _run(
    state: StripeState,
    operation: Operation,
    request: Request,
    key: str,
    version: str,
    cause: Cause,
) -> _Reply:
    """Check the parameters and execute; the execution itself never waits."""
    try:
        sent = (
            (await request.body()).decode(errors="replace")
            if operation.method == "POST"
            else request.url.query
        )
        call = Call(
            state,
            operation.accepts(decode(sent), ""),
            request.path_params,
            version,
            version_sent="stripe-version" in request.headers,
            publishable=key == state.publishable_key,
        )
        fault = _internal_error(state, request)
        if fault is not None and fault.when == "hold":
            await state.hold(fault).wait()
        if fault is not None and fault.when == "before":
            return _failed(internal_error())
        if fault is not None and fault.when == "later":
            complete = partial(_execute, state, operation, call, cause)
            state.stall(Stalled(cause.id or "", request.url.path, complete), fault.seconds)
            return _failed(internal_error())
        body = _execute(state, operation, call, cause)
        if fault is not None and fault.when == "after":
            return _failed(internal_error())
        return _Reply(200, body)
    except StripeError as error:
        return _failed(error)


def _execute(state: StripeState, operation: Operation, call: Call, cause: Cause) -> bytes:
    """The operation's effect, its events due to the request; the answer's body."""
    state.cause = cause
    try:
        answer = operation.run(call)
        paths = call.params.get("expand") or ()
        return msgspec.json.encode(expansion.expand(state, answer, paths))
    finally:
        state.cause = Cause()


def _failed(error: StripeError) -> _Reply:
    return _Reply(error.status, msgspec.json.encode(error.body), stored=error.stored)


def _internal_error(state: StripeState, request: Request) -> InternalError | None:
    """The internal error that this call is to meet."""
    for rule in state.internal_errors:
        if rule.method != request.method or not fnmatchcase(request.url.path, rule.path):
            continue
        if rule.skip:
            rule.skip -= 1
            continue
        if rule.times is not None and rule.when != "hold":
            rule.times -= 1
            if rule.times == 0:
                state.internal_errors.remove(rule)
        return rule
    return None


def sent_key(request: Request) -> str:
    """The API key of a request, as bearer token or as user name; empty where there is none."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    key = credentials.strip()
    if scheme.lower() == "basic":
        try:
            key = base64.b64decode(key, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            key = ""
    return key


def _authenticate(state: StripeState, operation: Operation, request: Request) -> str:
    """The API key of a request, where it may make the call."""
    key = sent_key(request)
    if not key:
        raise unauthorized(
            "You did not provide an API key. Send it in the Authorization header, as a bearer"
            " token ('Authorization: Bearer YOUR_SECRET_KEY')."
        )
    if key in state.secret_keys:
        return key
    if key == state.publishable_key:
        if operation.browser:
            return key
        raise unauthorized(
            "This API call cannot be made with a publishable API key. Please use a secret API key.",
            "secret_key_required",
        )
    raise unauthorized(f"Invalid API Key provided: {key[:8]}{'*' * len(key[8:])}")


async def _unknown_url(request: Request, _: Exception | None) -> Response:
    error = invalid_request(
        f"Unrecognized request URL ({request.method}: {request.url.path}).", status=404
    )
    body: JsonObject = error.body
    return Response(msgspec.json.encode(body), 404, media_type="application/json")
