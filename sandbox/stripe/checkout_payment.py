"""Pays a checkout session, and ends one that is not paid."""

from __future__ import annotations

from msgspec import Struct

from sandbox.stripe import attempts, captures, checkout, checkout_items, customers, intents
from sandbox.stripe.errors import StripeError, refused
from sandbox.stripe.objects import JsonObject
from sandbox.stripe.state import StripeState

_RECOVERY_SECONDS = 30 * 86_400


class Shopper(Struct, frozen=True):
    """Who pays."""

    email: str | None = None
    name: str | None = None


def pay(
    state: StripeState,
    session: JsonObject,
    method: JsonObject | None,
    shopper: Shopper,
    shipping_rate: str | None = None,
) -> None:
    """Pay an open session; the intent exists from now on. Raises the card error of a decline.

    Afterwards the session is complete, or its intent waits for the shopper's bank. No `method`
    is needed where nothing is due.
    """
    require_open(session)
    if shipping_rate is not None:
        checkout_items.choose_shipping(session, shipping_rate)
        checkout_items.price(session, state.session_contents[session["id"]])
    known = session["customer_details"] or {}
    email = checkout.fixed_email(state, session) or shopper.email
    checkout.set_details(session, email, shopper.name or known.get("name"))
    if session["amount_total"] == 0:
        checkout.complete(state, session, paid=False)
        return
    if method is None or method["type"] not in session["payment_method_types"]:
        raise refused("Choose one of the payment methods of this session.", param="payment_method")
    intent = _intent(state, session)
    intents.set_method(state, intent, method)
    how = attempts.Confirmation(return_url=checkout.page_url(state, session["id"]))
    attempts.confirm(state, intent, how)


def expire(state: StripeState, session: JsonObject) -> None:
    """End the session: it cannot be paid any more, and an attempt that was begun is given up."""
    require_open(session)
    session.update(status="expired", url=None)
    if session["payment_intent"] is not None:
        captures.cancel(state, state.intents[session["payment_intent"]], "expired")
    recovery = (session["after_expiration"] or {}).get("recovery") or {}
    if recovery.get("enabled"):
        recovery["expires_at"] = state.now() + _RECOVERY_SECONDS
        recovery["url"] = f"{state.public_url}/c/recover/{session['id']}"
    state.emit("checkout.session.expired", session)


def keep(state: StripeState, session: JsonObject) -> None:
    """From now on the session exists, until it expires."""
    state.sessions.add(session)

    def expire_if_open() -> None:
        if session["status"] == "open":
            expire(state, session)

    state.schedule(session["expires_at"] - state.clock.time(), expire_if_open)


def recover(state: StripeState, session: JsonObject) -> JsonObject | None:
    """A copy of an expired session whose recovery is still possible."""
    recovery = (session["after_expiration"] or {}).get("recovery") or {}
    if recovery.get("url") is None or recovery["expires_at"] <= state.now():
        return None
    params = {**state.session_contents[session["id"]].params, "expires_at": None}
    copy, contents = checkout.draft(state, params)
    copy["recovered_from"] = session["id"]
    state.session_contents[copy["id"]] = contents
    keep(state, copy)
    return copy


def require_open(session: JsonObject) -> None:
    if session["status"] != "open":
        raise not_open(session)


def not_open(session: JsonObject) -> StripeError:
    return refused(
        'Only Checkout Sessions with a status in ["open"] can be changed. Session'
        f" {session['id']} has a status of {session['status']}."
    )


def _intent(state: StripeState, session: JsonObject) -> JsonObject:
    """The session's intent over the session's amount, made at the first attempt."""
    if session["payment_intent"] is not None:
        intent = state.intents[session["payment_intent"]]
        intent["amount"] = session["amount_total"]
        return intent
    data = state.session_contents[session["id"]].params.get("payment_intent_data") or {}
    collected = (session["collected_information"] or {}).get("shipping_details")
    if session["customer"] is None and (
        session["customer_creation"] == "always" or data.get("setup_future_usage")
    ):
        details = session["customer_details"]
        customer = customers.create(state, {"email": details["email"], "name": details["name"]})
        session["customer"] = customer["id"]
    intent = intents.draft(
        state,
        {
            **data,
            "shipping": data.get("shipping") or collected,
            "allowed_payment_method_types": session["allowed_payment_method_types"],
            "amount": session["amount_total"],
            "currency": session["currency"],
            "customer": session["customer"],
            "excluded_payment_method_types": session["excluded_payment_method_types"],
            "payment_method_options": session["payment_method_options"],
        },
    )
    intents.keep(state, intent)
    session["payment_intent"] = intent["id"]
    state.sessions_by_intent[intent["id"]] = session
    return intent
