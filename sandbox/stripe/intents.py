"""Payment intents: their states, and what moves them from one to the next."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from msgspec import Struct

from sandbox.stripe import cards, charges, currencies, disputes, methods
from sandbox.stripe.cards import Card, Decline
from sandbox.stripe.errors import StripeError, card_error, refused, unexpected_state
from sandbox.stripe.forms import full_shipping
from sandbox.stripe.objects import JsonObject, snapshot
from sandbox.stripe.state import StripeState

CONFIRMABLE = frozenset(("requires_payment_method", "requires_confirmation", "requires_action"))
CANCELABLE = CONFIRMABLE | {"requires_capture"}
_MAX_CAPTURES = 50


class Confirmation(Struct, frozen=True):
    """How a confirmation was asked for."""

    off_session: bool = False
    stripe_js: bool = False
    """The browser handles redirects and challenges itself."""
    return_url: str | None = None
    error_on_requires_action: bool = False


def draft(state: StripeState, params: Mapping[str, Any]) -> JsonObject:
    """A new intent from checked parameters, without a payment method and not yet kept."""
    key = state.new_id("pi")
    automatic = params.get("automatic_payment_methods") or {"enabled": True}
    intent: JsonObject = {
        "id": key,
        "object": "payment_intent",
        "allowed_payment_method_types": params.get("allowed_payment_method_types"),
        "amount": params["amount"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": {
            "allow_redirects": automatic.get("allow_redirects") or "always",
            "enabled": automatic["enabled"],
        },
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": params.get("capture_method") or "automatic_async",
        "client_secret": f"{key}_secret_{state.random_text(25)}",
        "confirmation_method": params.get("confirmation_method") or "automatic",
        "created": state.now(),
        "currency": params["currency"],
        "customer": params.get("customer"),
        "customer_account": None,
        "description": params.get("description"),
        "excluded_payment_method_types": params.get("excluded_payment_method_types"),
        "hooks": params.get("hooks"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "managed_payments": None,
        "metadata": dict(params.get("metadata") or {}),
        "next_action": None,
        "on_behalf_of": None,
        "payment_details": None,
        "payment_method": None,
        "payment_method_configuration_details": {"id": "pmc_sandbox", "parent": None},
        "payment_method_options": None,
        "payment_method_types": [],
        "presentment_details": None,
        "processing": None,
        "receipt_email": params.get("receipt_email"),
        "review": None,
        "setup_future_usage": params.get("setup_future_usage"),
        "shipping": full_shipping(params.get("shipping")),
        "source": None,
        "statement_descriptor": params.get("statement_descriptor"),
        "statement_descriptor_suffix": params.get("statement_descriptor_suffix"),
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": params.get("transfer_group"),
    }
    offer_methods(intent)
    set_method_options(intent, params.get("payment_method_options"))
    return intent


def keep(state: StripeState, intent: JsonObject) -> None:
    """The draft passed all checks: from now on the intent exists."""
    state.intents.add(intent)
    state.emit("payment_intent.created", intent)


def offer_methods(intent: JsonObject) -> None:
    """The payment method types that fit the currency, the capture method and what was chosen."""
    allowed: Collection[str] | None = intent["allowed_payment_method_types"]
    excluded: Collection[str] = intent["excluded_payment_method_types"] or ()
    intent["payment_method_types"] = [
        kind
        for kind, currencies_taken in methods.CURRENCIES.items()
        if (currencies_taken is None or intent["currency"] in currencies_taken)
        and (kind == "card" or intent["capture_method"] != "manual")
        and (allowed is None or kind in allowed)
        and kind not in excluded
    ]


def set_method_options(intent: JsonObject, options: Mapping[str, Any] | None) -> None:
    """Merge `payment_method_options` into what the intent has."""
    card = {
        "installments": None,
        "mandate_options": None,
        "network": None,
        "request_three_d_secure": "automatic",
        **((intent["payment_method_options"] or {}).get("card") or {}),
        **((options or {}).get("card") or {}),
    }
    others = {kind: value for kind, value in (options or {}).items() if kind != "card"}
    intent["payment_method_options"] = {
        **(intent["payment_method_options"] or {}),
        **others,
        "card": card,
    }


def set_method(state: StripeState, intent: JsonObject, method: JsonObject) -> None:
    """Choose what to pay with; it must fit the intent and belong to its customer."""
    kind = method["type"]
    if kind not in intent["payment_method_types"]:
        raise refused(
            f"The PaymentMethod provided ({kind}) is not allowed for this PaymentIntent.",
            code="payment_intent_incompatible_payment_method",
            param="payment_method",
        )
    if method["id"] in state.spent_methods:
        raise methods.already_used()
    if method["customer"] not in (None, intent["customer"]):
        raise refused(
            f"The PaymentMethod belongs to the Customer {method['customer']}: include that"
            " customer on the PaymentIntent.",
            param="payment_method",
        )
    currencies.check_digits(
        intent["amount"], intent["currency"], kind, (method.get("card") or {}).get("brand")
    )
    intent["payment_method"] = method["id"]
    intent["next_action"] = None
    intent["status"] = "requires_confirmation"


def check_confirmation(intent: JsonObject, how: Confirmation) -> None:
    """Refuses a confirmation that lacks what the intent needs."""
    if intent["payment_method"] is None:
        raise unexpected_state(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            snapshot(intent),
        )
    redirects = (intent["automatic_payment_methods"] or {}).get("allow_redirects") == "always"
    if redirects and how.return_url is None and not how.stripe_js:
        raise refused(
            "This PaymentIntent accepts payment methods that may redirect: provide a"
            " `return_url`, or set automatic_payment_methods[allow_redirects] to never.",
            param="return_url",
        )


def confirm(state: StripeState, intent: JsonObject, how: Confirmation) -> None:
    """Try to pay with the chosen method; raises the card error of a decline."""
    check_confirmation(intent, how)
    method = state.methods[intent["payment_method"]]
    if method["id"] in state.spent_methods:
        raise methods.already_used()
    card = methods.card_of(state, method)
    intent["last_payment_error"] = None
    if card is not None and _must_authenticate(state, intent, method, card):
        if how.off_session or how.error_on_requires_action:
            raise _fail(state, intent, method, card, cards.AUTHENTICATION_REQUIRED)
        _require_action(state, intent, _challenge(state, intent, how))
    elif method["type"] in methods.REDIRECTS:
        _require_action(state, intent, _redirect(state, intent, how.return_url))
    else:
        error = _pay(state, intent, method, card)
        if error is not None:
            raise error


def finish_action(state: StripeState, intent: JsonObject, *, succeed: bool) -> None:
    """The shopper passes or fails the challenge or the page that the intent waits for."""
    if intent["status"] != "requires_action":
        raise unexpected_state("This PaymentIntent waits for no action.", snapshot(intent))
    method = state.methods[intent["payment_method"]]
    card = methods.card_of(state, method)
    intent["next_action"] = None
    if succeed:
        _pay(state, intent, method, card, authenticated=True)
        return
    what = "authenticate your payment method" if card else "complete the payment"
    _back_to_start(
        state,
        intent,
        method,
        {
            "code": "payment_intent_authentication_failure",
            "message": f"We are unable to {what}. Please choose a different payment method and"
            " try again.",
            "type": "invalid_request_error",
        },
    )


def settle(state: StripeState, intent: JsonObject, *, succeed: bool) -> None:
    """A delayed payment comes in or comes back."""
    if intent["status"] != "processing":
        raise unexpected_state("This PaymentIntent is not processing.", snapshot(intent))
    charge = state.charges[intent["latest_charge"]]
    method = state.methods[charge["payment_method"]]
    if succeed:
        charges.settle(state, charge)
        _received(intent, charge, charge["amount"])
        _succeed(state, intent, charge, method)
    else:
        decline = charges.fail(charge)
        state.emit("charge.failed", charge)
        _back_to_start(state, intent, method, _declined(decline, charge))


def capture(
    state: StripeState, intent: JsonObject, amount: int | None, *, final: bool = True
) -> None:
    """Take `amount` (all that is left when None) of what was authorized.

    A final capture releases the rest; another needs a charge with multicapture. Capturing 0
    finally releases what is left after earlier captures.
    """
    if intent["status"] != "requires_capture":
        raise unexpected_state(
            "This PaymentIntent could not be captured because it has a status of"
            f" {intent['status']}. Only a PaymentIntent with one of the following statuses may"
            " be captured: requires_capture.",
            snapshot(intent),
        )
    charge = state.charges[intent["latest_charge"]]
    capturable: int = intent["amount_capturable"]
    taken = capturable if amount is None else amount
    _check_capture(state, intent, charge, taken, final=final)
    charge_before, intent_before = snapshot(charge), snapshot(intent)
    charge["amount_captured"] += taken
    if taken:
        charges.book(state, charge, taken)
    _received(intent, charge, taken)
    intent["amount_capturable"] = 0 if final else capturable - taken
    charge["captured"] = final
    if charges.has_multicapture(charge):
        state.emit("charge.updated", charge, charge_before)
    if final:
        charge["refunded"] = charges.refundable(charge) == 0
        intent["status"] = "succeeded"
        state.emit("charge.captured", charge, charge_before)
    if charges.has_multicapture(charge):
        state.emit("payment_intent.amount_capturable_updated", intent, intent_before)
    if final:
        state.emit("payment_intent.succeeded", intent)
        _dispute(state, charge)


def cancel(state: StripeState, intent: JsonObject, reason: str | None) -> None:
    """Give up an intent; an authorization is released, without a refund."""
    captured = intent["status"] == "requires_capture" and intent["amount_received"] > 0
    if intent["status"] not in CANCELABLE or captured:
        state_of = "been captured in part" if captured else f"a status of {intent['status']}"
        raise unexpected_state(
            f"You cannot cancel this PaymentIntent because it has {state_of}. Only a"
            " PaymentIntent with one of the following statuses may be canceled: "
            f"{', '.join(sorted(CANCELABLE))}.",
            snapshot(intent),
        )
    intent.update(
        status="canceled",
        amount_capturable=0,
        canceled_at=state.now(),
        cancellation_reason=reason,
        next_action=None,
    )
    state.emit("payment_intent.canceled", intent)


def _expire(state: StripeState, intent: JsonObject) -> None:
    """The authorization ends: what was captured stays, the rest is released."""
    if intent["status"] != "requires_capture":
        return
    charge = state.charges[intent["latest_charge"]]
    if intent["amount_received"]:
        capture(state, intent, 0)
    else:
        state.emit("charge.expired", charge)
        cancel(state, intent, "expired")


def _check_capture(
    state: StripeState, intent: JsonObject, charge: JsonObject, amount: int, *, final: bool
) -> None:
    if amount > intent["amount_capturable"]:
        raise refused(
            f"Amount to capture ({amount}) is more than can still be captured"
            f" ({intent['amount_capturable']}).",
            code="amount_too_large",
            param="amount_to_capture",
        )
    multicapture = charges.has_multicapture(charge)
    if not final and not multicapture:
        raise refused(
            "final_capture=false needs multicapture, which is not available for this"
            " PaymentIntent.",
            param="final_capture",
        )
    if amount < 0 or (amount == 0 and not (final and intent["amount_received"])):
        raise refused(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount_to_capture",
        )
    currencies.check_step(amount, intent["currency"], "amount_to_capture")
    booked = state.balance_transactions.newest({"source": charge["id"]})
    if amount and not final and sum(1 for _ in booked) >= _MAX_CAPTURES:
        raise refused(f"A PaymentIntent can be captured up to {_MAX_CAPTURES} times.")


def _must_authenticate(
    state: StripeState, intent: JsonObject, method: JsonObject, card: Card
) -> bool:
    options = intent["payment_method_options"]["card"]
    if options["request_three_d_secure"] in ("any", "challenge"):
        return True
    return card.challenge == "always" or (
        card.challenge == "until_set_up" and method["id"] not in state.set_up_methods
    )


def _pay(
    state: StripeState,
    intent: JsonObject,
    method: JsonObject,
    card: Card | None,
    *,
    authenticated: bool = False,
) -> StripeError | None:
    """Ask the bank; the error of a decline is returned, as not every caller raises it."""
    decline = card.decline if card else None
    if decline is not None:
        return _fail(state, intent, method, card, decline)
    delayed = method["type"] in methods.DELAYED
    charge = charges.create(state, intent, method, card, pending=delayed)
    intent["latest_charge"] = charge["id"]
    if authenticated and card is not None:
        charge["payment_method_details"]["card"]["three_d_secure"] = {
            "authentication_flow": "challenge",
            "electronic_commerce_indicator": "05",
            "exemption_indicator": None,
            "exemption_indicator_applied": None,
            "result": "authenticated",
            "result_reason": None,
            "transaction_id": state.random_text(28),
            "version": "2.2.0",
        }
    if delayed:
        intent.update(status="processing", processing=None)
        state.emit("payment_intent.processing", intent)
        state.emit("charge.pending", charge)
    elif intent["capture_method"] == "manual":
        _authorize(state, intent, charge, method)
    else:
        charge.update(captured=True, amount_captured=charge["amount"])
        if intent["capture_method"] == "automatic":
            charges.book(state, charge, charge["amount"])
        _received(intent, charge, charge["amount"])
        _succeed(state, intent, charge, method)
        if intent["capture_method"] == "automatic_async":
            # the charge is answered before its money is booked, and updated afterwards
            before = snapshot(charge)
            charges.book(state, charge, charge["amount"])
            state.emit("charge.updated", charge, before)
    return None


def _authorize(
    state: StripeState, intent: JsonObject, charge: JsonObject, method: JsonObject
) -> None:
    intent.update(status="requires_capture", amount_capturable=intent["amount"])
    deadline = state.now() + int(state.authorization_seconds)
    charges.set_capture_deadline(charge, deadline)
    state.schedule(state.authorization_seconds, lambda: _expire(state, intent))
    _keep_method(state, intent, method)
    state.emit("charge.succeeded", charge)
    state.emit("payment_intent.amount_capturable_updated", intent)


def _received(intent: JsonObject, charge: JsonObject, amount: int) -> None:
    intent["amount_received"] += amount
    intent["latest_charge"] = charge["id"]


def _succeed(
    state: StripeState, intent: JsonObject, charge: JsonObject, method: JsonObject
) -> None:
    intent["status"] = "succeeded"
    _keep_method(state, intent, method)
    state.emit("charge.succeeded", charge)
    state.emit("payment_intent.succeeded", intent)
    _dispute(state, charge)


def _keep_method(state: StripeState, intent: JsonObject, method: JsonObject) -> None:
    """Save the method if that was asked for; one without a customer is used up."""
    usage = intent["setup_future_usage"]
    if usage is not None and intent["customer"] is not None:
        methods.attach(state, method, intent["customer"])
    if method["customer"] is None:
        state.spent_methods.add(method["id"])
    elif usage == "off_session":
        state.set_up_methods.add(method["id"])


def _dispute(state: StripeState, charge: JsonObject) -> None:
    number = state.card_numbers.get(charge["payment_method"])
    card = None if number is None else cards.by_number(number)
    if card is not None and card.dispute is not None and charge["amount_captured"]:
        status = "warning_needs_response" if card.inquiry else "needs_response"
        disputes.create(state, charge, status=status, reason=card.dispute)


def _fail(
    state: StripeState,
    intent: JsonObject,
    method: JsonObject,
    card: Card | None,
    decline: Decline,
) -> StripeError:
    charge = charges.create(state, intent, method, card, decline=decline)
    intent["latest_charge"] = charge["id"]
    state.emit("charge.failed", charge)
    details = _declined(decline, charge)
    _back_to_start(state, intent, method, details)
    return card_error(
        decline.code,
        decline.message,
        decline_code=decline.decline_code,
        charge=charge["id"],
        payment_intent=snapshot(intent),
        payment_method=snapshot(method),
    )


def _declined(decline: Decline, charge: JsonObject) -> JsonObject:
    details = {
        "charge": charge["id"],
        "code": decline.code,
        "message": decline.message,
        "type": "card_error",
    }
    if decline.decline_code is not None:
        details["decline_code"] = decline.decline_code
    return details


def _back_to_start(
    state: StripeState, intent: JsonObject, method: JsonObject, error: JsonObject
) -> None:
    """An attempt failed: another payment method may be tried on the same intent."""
    intent.update(
        status="requires_payment_method",
        payment_method=None,
        next_action=None,
        last_payment_error={**error, "payment_method": snapshot(method)},
    )
    state.emit("payment_intent.payment_failed", intent)


def _require_action(state: StripeState, intent: JsonObject, action: JsonObject) -> None:
    intent.update(status="requires_action", next_action=action)
    state.emit("payment_intent.requires_action", intent)


def _challenge(state: StripeState, intent: JsonObject, how: Confirmation) -> JsonObject:
    if not how.stripe_js:
        return _redirect(state, intent, how.return_url)
    return {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {
            "type": "three_d_secure_redirect",
            "stripe_js": _page(state, intent),
            "source": state.new_id("src"),
        },
    }


def _redirect(state: StripeState, intent: JsonObject, return_url: str | None) -> JsonObject:
    return {
        "type": "redirect_to_url",
        "redirect_to_url": {"return_url": return_url, "url": _page(state, intent)},
    }


def _page(state: StripeState, intent: JsonObject) -> str:
    secret = intent["client_secret"]
    return f"{state.public_url}/redirect/authenticate/{intent['id']}?client_secret={secret}"
