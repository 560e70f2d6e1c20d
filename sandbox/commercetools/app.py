"""The HTTP side: one host serves all that commercetools spreads over its hosts.

Handlers are plain functions of a call; this module alone knows about HTTP.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.commercetools import carts, catalogue, custom_objects, me, recurring_jobs, sessions
from sandbox.commercetools.calls import Answer, Call, Handler
from sandbox.commercetools.carts import CARTS
from sandbox.commercetools.customers import CUSTOMERS, PAYMENT_METHODS
from sandbox.commercetools.errors import (
    ApiError,
    insufficient_scope,
    invalid_input,
    not_found,
)
from sandbox.commercetools.expand import expand
from sandbox.commercetools.orders import ORDERS
from sandbox.commercetools.paths import Document
from sandbox.commercetools.payments import PAYMENTS
from sandbox.commercetools.recurring_orders import RECURRING_ORDERS
from sandbox.commercetools.renewals import overview
from sandbox.commercetools.resource import Resource, delete, lookup, query, update
from sandbox.commercetools.seed import seed
from sandbox.commercetools.state import Store
from sandbox.commercetools.types import TYPES

_RESOURCES = {
    resource.path: resource
    for resource in (
        CARTS,
        CUSTOMERS,
        ORDERS,
        PAYMENTS,
        PAYMENT_METHODS,
        TYPES,
        RECURRING_ORDERS,
        recurring_jobs.JOBS,
        recurring_jobs.RECURRING_PAYMENTS,
        catalogue.API_CLIENTS,
        catalogue.CART_DISCOUNTS,
        catalogue.CATEGORIES,
        catalogue.DISCOUNT_CODES,
        catalogue.PRODUCTS,
        catalogue.SHIPPING_METHODS,
        catalogue.TAX_CATEGORIES,
        catalogue.ZONES,
    )
}


def create_app(store: Store) -> Starlette:
    """The stand-in, over a store that the caller may seed and look into."""

    def route(path: str, handler: Handler, *methods: str) -> Route:
        return Route(path, _endpoint(store, handler), methods=list(methods))

    project = "/{project_key}"
    return Starlette(
        routes=[
            route("/oauth/token", _token, "POST"),
            route("/oauth/introspect", _introspect, "POST"),
            route("/oauth/{project_key}/anonymous/token", _anonymous_token, "POST"),
            route("/oauth/{project_key}/customers/token", _customer_token, "POST"),
            route("/_sandbox/commercetools/reset", _reset, "POST"),
            route("/_sandbox/commercetools/state", _state, "GET"),
            route("/_sandbox/commercetools/tokens/revoke", _revoke, "POST"),
            route("/_sandbox/commercetools/discounts/{key}", _discount, "POST"),
            route("/_sandbox/commercetools/recurring", _recurring, "GET"),
            route(project, _project, "GET"),
            route(project + "/me", _me, "GET", "POST"),
            route(project + "/me/{resource}", _me, "GET", "POST"),
            route(project + "/me/{resource}/{reference:path}", _me, "GET", "POST", "DELETE"),
            route(project + "/sessions", _create_session, "POST"),
            route(project + "/sessions/{id}", _get_session, "GET"),
            route(project + "/recurring-payment-jobs", _jobs, "GET"),
            route(project + "/custom-objects", _custom_objects, "GET", "POST"),
            route(project + "/custom-objects/{container}", _custom_objects, "GET"),
            route(project + "/custom-objects/{container}/{key}", _custom_object, "GET", "DELETE"),
            route(project + "/product-projections", _projections, "GET"),
            route(project + "/product-projections/{reference:path}", _projection, "GET"),
            route(project + "/shipping-methods/matching-cart", _matching_cart, "GET"),
            route(project + "/{resource}", _collection, "GET", "POST"),
            route(project + "/{resource}/{reference:path}", _item, "GET", "POST", "DELETE"),
        ],
        exception_handlers={HTTPException: _on_http_exception},
    )


def _endpoint(store: Store, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        call = Call(
            request.method,
            request.path_params,
            parse_qs(request.scope["query_string"].decode("ascii"), keep_blank_values=True),
            request.headers.get("authorization"),
            await request.body(),
        )
        try:
            status, answer = handler(store, call)
        except ApiError as error:
            status, answer = error.status, error.body()
        return _response(request, status, answer, store.clock.time())

    return endpoint


def _response(request: Request, status: int, answer: Any, now: float | None = None) -> Response:
    """An answer with the `Date` that every origin server with a clock sends (RFC 9110, 6.6.1)."""
    correlation_id = request.headers.get("x-correlation-id") or str(uuid.uuid4())
    headers = {"x-correlation-id": correlation_id}
    if now is not None:
        headers["date"] = formatdate(now, usegmt=True)
    return Response(msgspec.json.encode(answer), status, headers, media_type="application/json")


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """No such path or method, in commercetools' shape."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    code = "ResourceNotFound" if status == 404 else "InvalidOperation"
    detail = error.detail if isinstance(error, HTTPException) else ""
    return _response(request, status, ApiError(status, code, detail).body())


def _authorize(store: Store, call: Call, scopes: tuple[str, ...]) -> None:
    store.tokens.authorize(call.authorization, scopes)
    if call.path["project_key"] != store.project_key:
        raise insufficient_scope(list(scopes))


def _token(store: Store, call: Call) -> Answer:
    return 200, store.tokens.grant(store.tokens.client(call.authorization or ""), call.form())


def _anonymous_token(store: Store, call: Call) -> Answer:
    client = store.tokens.client(call.authorization or "")
    return 200, store.tokens.grant_anonymous(client, call.form())


def _customer_token(store: Store, call: Call) -> Answer:
    client, form = store.tokens.client(call.authorization or ""), call.form()
    customer_id = me.authenticate(store, form.get("username", ""), form.get("password", ""))
    return 200, store.tokens.grant_customer(client, form, customer_id)


def _introspect(store: Store, call: Call) -> Answer:
    client = store.tokens.client(call.authorization or "")
    token = call.form().get("token")
    if token is None:
        raise invalid_input("Missing parameter: token.")
    return 200, store.tokens.introspect(client, token)


def _reset(store: Store, _: Call) -> Answer:
    store.reset()
    seed(store)
    return 200, store.summary()


def _state(store: Store, _: Call) -> Answer:
    return 200, store.summary()


def _revoke(store: Store, call: Call) -> Answer:
    token = call.document().get("token") if call.raw else None
    return 200, {"revoked": store.tokens.revoke(token)}


def _discount(store: Store, call: Call) -> Answer:
    """Let a promotion begin or end; carts show it at their next update."""
    found = lookup(store, catalogue.CART_DISCOUNTS, f"key={call.path['key']}")
    wanted = call.document()
    changes = {
        field: wanted[field]
        for field in ("isActive", "requiresDiscountCode")
        if isinstance(wanted.get(field), bool)
    }
    return 200, store.replace("cart-discount", {**found, **changes})


def _project(store: Store, call: Call) -> Answer:
    _authorize(store, call, ("view_project_settings",))
    return 200, {
        "version": 1,
        "key": store.project_key,
        "name": "Sandbox",
        "countries": ["DE", "FR", "GB", "US", "JP", "KW"],
        "currencies": ["EUR", "USD", "GBP", "JPY", "KWD"],
        "languages": ["en", "de"],
        "createdAt": store.now(),
        "messages": {"enabled": False},
        "carts": {"deleteDaysAfterLastModification": 90},
        "inventory": {"releaseExpiredReservations": False},
        "discounts": {"discountCombinationMode": "Stacking"},
    }


def _create_session(store: Store, call: Call) -> Answer:
    _authorize(store, call, ("manage_sessions",))
    return 201, sessions.create_session(store, call.document())


def _get_session(store: Store, call: Call) -> Answer:
    _authorize(store, call, ("view_sessions",))
    return 200, sessions.get_session(store, call.path["id"])


def _recurring(store: Store, _: Call) -> Answer:
    return 200, overview(store)


def _jobs(store: Store, call: Call) -> Answer:
    _authorize(store, call, recurring_jobs.JOBS.view)
    return 200, recurring_jobs.query_jobs(store, call.parameters)


def _custom_objects(store: Store, call: Call) -> Answer:
    resource = custom_objects.CUSTOM_OBJECTS
    if call.method == "POST":
        _authorize(store, call, resource.manage)
        document, is_new = custom_objects.upsert(store, call.document())
        return 201 if is_new else 200, document
    _authorize(store, call, resource.view)
    container = call.path.get("container")
    among = (
        None
        if container is None
        else store.collection(resource.type_id).find("container", container)
    )
    return 200, query(store, resource, call.parameters, among)


def _custom_object(store: Store, call: Call) -> Answer:
    resource = custom_objects.CUSTOM_OBJECTS
    container, key = call.path["container"], call.path["key"]
    if call.method == "DELETE":
        _authorize(store, call, resource.manage)
        return 200, custom_objects.delete(store, container, key, call.version())
    _authorize(store, call, resource.view)
    return 200, custom_objects.get(store, container, key)


def _projections(store: Store, call: Call) -> Answer:
    _authorize(store, call, catalogue.PROJECTIONS.view)
    return 200, _expanded(store, call, catalogue.query_projections(store, call.parameters))


def _projection(store: Store, call: Call) -> Answer:
    _authorize(store, call, catalogue.PROJECTIONS.view)
    found = catalogue.get_projection(store, call.path["reference"], call.parameters)
    return 200, _expanded(store, call, found)


def _matching_cart(store: Store, call: Call) -> Answer:
    _authorize(store, call, catalogue.SHIPPING_METHODS.view)
    return 200, catalogue.shipping_methods_for_cart(store, call.parameters)


def _me(store: Store, call: Call) -> Answer:
    resource = me.resource_of(call)
    token = store.tokens.authorize(call.authorization, resource.manage)
    if call.path["project_key"] != store.project_key:
        raise insufficient_scope(list(resource.manage))
    status, document = me.answer(store, resource, me.shopper(token), call)
    return status, me.shown(resource, _expanded(store, call, document))


def _resource(call: Call) -> Resource:
    resource = _RESOURCES.get(call.path["resource"])
    if resource is None:
        raise not_found(f"path '{call.path['resource']}'")
    return resource


def _collection(store: Store, call: Call) -> Answer:
    resource = _resource(call)
    if call.method == "GET":
        _authorize(store, call, resource.view)
        return 200, _expanded(store, call, query(store, resource, call.parameters))
    if resource.create is None:
        raise ApiError(405, "InvalidOperation", "Method Not Allowed")
    _authorize(store, call, resource.manage)
    document = resource.create(store, call.document())
    return 201, resource.created(_expanded(store, call, document))


def _item(store: Store, call: Call) -> Answer:
    resource, reference = _resource(call), call.path["reference"]
    if call.method == "GET":
        _authorize(store, call, resource.view)
        return 200, _expanded(store, call, lookup(store, resource, reference))
    if call.method == "POST" and resource.actions:
        _authorize(store, call, resource.manage)
        found, body = lookup(store, resource, reference), call.document()
        if resource is CARTS and carts.touches_a_lock(found, body):
            # Which error commercetools answers with is unconfirmed; a missing scope is its usual
            # one (https://docs.commercetools.com/api/releases/2026-01-16-introduced-cart-locking).
            token = store.tokens.authorize(call.authorization, carts.LOCKING)
            body = carts.locked_by(token.client_id, body)
        document = update(store, resource, found, body)
    elif call.method == "DELETE" and resource.deletable:
        _authorize(store, call, resource.manage)
        version = call.version()
        if version is None:
            raise invalid_input("Missing parameter: version.")
        document = delete(store, resource, lookup(store, resource, reference), version)
    else:
        raise ApiError(405, "InvalidOperation", "Method Not Allowed")
    return 200, _expanded(store, call, document)


def _expanded(store: Store, call: Call, document: Document) -> Document:
    """The document, or each one of a page, with the references that were asked for."""
    paths = call.parameters.get("expand")
    if not paths:
        return document
    if "results" in document:
        results = [expand(store, found, paths) for found in document["results"]]
        return {**document, "results": results}
    return expand(store, document, paths)
