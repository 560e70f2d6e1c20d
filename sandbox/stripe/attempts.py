"""Attempts to pay an intent: confirmation, authentication, the bank's answer."""

from __future__ import annotations

from msgspec import Struct

from sandbox.stripe import captures, cards, charges, checkout, disputes, methods
from sandbox.stripe.cards import Card, Decline
from sandbox.stripe.errors import StripeError, card_error, refused, unexpected_state
from sandbox.stripe.objects import JsonObject, snapshot
from sandbox.stripe.state import StripeState


class Confirmation(Struct, frozen=True):
    """How a confirmation was asked for."""

    off_session: bool = False
    stripe_js: bool = False
    """The browser handles redirects and challenges itself."""
    return_url: str | None = None
    error_on_requires_action: bool = False


def check_confirmation(state: StripeState, intent: JsonObject, how: Confirmation) -> None:
    """Refuses a confirmation that lacks what the intent needs."""
    if intent["payment_method"] is None:
        raise unexpected_state(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            snapshot(intent),
        )
    redirects = (intent["automatic_payment_methods"] or {}).get("allow_redirects") == "always"
    chosen = state.methods[intent["payment_method"]]["type"] in methods.REDIRECTS
    if how.return_url is None and (chosen or (redirects and not how.stripe_js)):
        raise refused(
            "This PaymentIntent accepts payment methods that may redirect: provide a"
            " `return_url`, or set automatic_payment_methods[allow_redirects] to never.",
            param="return_url",
        )


def confirm(state: StripeState, intent: JsonObject, how: Confirmation) -> None:
    """Try to pay with the chosen method; raises the card error of a decline."""
    check_confirmation(state, intent, how)
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
    elif method["type"] in methods.OUTSIDE or _waits_for_microdeposits(intent, method):
        _wait_outside(state, intent, method)
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


def fund(state: StripeState, intent: JsonObject, amount: int) -> JsonObject:
    """Money comes to the customer's account by bank transfer, perhaps not all of it, or too much.

    What is missing keeps the intent waiting, what is too much stays in the customer's balance:
    https://docs.stripe.com/payments/bank-transfers/accept-a-payment
    """
    transfer = (intent["next_action"] or {}).get("display_bank_transfer_instructions")
    if intent["status"] != "requires_action" or transfer is None:
        raise unexpected_state("This PaymentIntent waits for no transfer.", snapshot(intent))
    missing = transfer["amount_remaining"]
    funded = _move_cash(state, intent, "funded", amount, ending=amount)
    if amount < missing:
        transfer["amount_remaining"] = missing - amount
        _move_cash(state, intent, "applied_to_payment", -amount, ending=0)
        state.emit("payment_intent.partially_funded", intent)
        return funded
    _move_cash(state, intent, "applied_to_payment", -missing, ending=amount - missing)
    finish_action(state, intent, succeed=True)
    return funded


def fund_customer(state: StripeState, customer: str, currency: str, amount: int) -> JsonObject:
    """A transfer that no intent waits for stays in the customer's cash balance."""
    holder: JsonObject = {"customer": customer, "currency": currency}
    funded = _move_cash(state, holder, "funded", amount, ending=amount)
    state.emit(
        "cash_balance.funds_available",
        {
            "object": "cash_balance",
            "available": {currency: amount},
            "customer": customer,
            "customer_account": None,
            "livemode": state.live,
            "settings": {"reconciliation_mode": "automatic", "using_merchant_default": True},
        },
    )
    return funded


def settle(state: StripeState, intent: JsonObject, *, succeed: bool) -> None:
    """A delayed payment comes in or comes back, or a voucher is paid or expires."""
    if is_outside(intent):
        if succeed:
            finish_action(state, intent, succeed=True)
        else:
            _expire_outside(state, intent)
        return
    if intent["status"] != "processing":
        raise unexpected_state("This PaymentIntent is not processing.", snapshot(intent))
    charge = state.charges[intent["latest_charge"]]
    method = state.methods[charge["payment_method"]]
    if succeed:
        charges.settle(state, charge)
        intent["amount_received"] = charge["amount"]
        _succeed(state, intent, charge, method)
    else:
        decline = charges.fail(charge)
        state.emit("charge.failed", charge)
        _back_to_start(state, intent, method, _declined(decline, charge))
    checkout.follow(state, intent)


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
    if card is not None and (most := state.behaviour.approves_at_most) is not None:
        intent["amount"] = min(intent["amount"], most)
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
        intent["amount_received"] = charge["amount"]
        _succeed(state, intent, charge, method)
        if intent["capture_method"] == "automatic_async":
            # the charge is answered before its money is booked, and updated afterwards
            before = snapshot(charge)
            charges.book(state, charge, charge["amount"])
            state.emit("charge.updated", charge, before)
    checkout.follow(state, intent)
    return None


def _authorize(
    state: StripeState, intent: JsonObject, charge: JsonObject, method: JsonObject
) -> None:
    intent.update(status="requires_capture", amount_capturable=intent["amount"])
    lasts = state.behaviour.authorization_seconds or state.authorization_seconds
    charges.set_capture_deadline(charge, state.now() + int(lasts))
    state.schedule(lasts, lambda: captures.expire(state, intent))
    _keep_method(state, intent, method)
    state.emit("charge.succeeded", charge)
    state.emit("payment_intent.amount_capturable_updated", intent)


def _succeed(
    state: StripeState, intent: JsonObject, charge: JsonObject, method: JsonObject
) -> None:
    intent["status"] = "succeeded"
    _keep_method(state, intent, method)
    state.emit("charge.succeeded", charge)
    state.emit("payment_intent.succeeded", intent)
    disputes.follow(state, charge)


def _keep_method(state: StripeState, intent: JsonObject, method: JsonObject) -> None:
    """Save the method if that was asked for; one without a customer is used up."""
    usage = intent["setup_future_usage"]
    if usage is not None and intent["customer"] is not None:
        methods.attach(state, method, intent["customer"])
    if method["customer"] is None:
        state.spent_methods.add(method["id"])
    elif usage == "off_session":
        state.set_up_methods.add(method["id"])


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


def is_outside(intent: JsonObject) -> bool:
    """Whether an intent waits for something outside of the page."""
    kind = (intent["next_action"] or {}).get("type")
    return kind in {*methods.OUTSIDE.values(), "verify_with_microdeposits"}


def _waits_for_microdeposits(intent: JsonObject, method: JsonObject) -> bool:
    """https://docs.stripe.com/payments/ach-direct-debit/accept-a-payment"""
    options = (intent["payment_method_options"] or {}).get("us_bank_account") or {}
    return (
        method["type"] == "us_bank_account"
        and options.get("verification_method") == "microdeposits"
    )


def _wait_outside(state: StripeState, intent: JsonObject, method: JsonObject) -> None:
    kind = methods.OUTSIDE.get(method["type"], "verify_with_microdeposits")
    seconds = methods.EXPIRE_AFTER.get(method["type"], methods.VOUCHER_SECONDS)
    shown: JsonObject = {"hosted_voucher_url": f"{state.public_url}/voucher/{intent['id']}"}
    if seconds is not None:
        shown["expires_at"] = state.now() + seconds
        action = {"type": kind, kind: shown}
        state.schedule(seconds, lambda: _expire_outside(state, intent, action))
    else:
        shown = {
            "amount_remaining": intent["amount"],
            "currency": intent["currency"],
            "financial_addresses": [],
            "hosted_instructions_url": f"{state.public_url}/transfer/{intent['id']}",
            "reference": state.random_text(12),
            "type": "eu_bank_transfer",
        }
        action = {"type": kind, kind: shown}
    _require_action(state, intent, action)
    checkout.follow(state, intent)


def _expire_outside(
    state: StripeState, intent: JsonObject, action: JsonObject | None = None
) -> None:
    """The intent was not paid in time: it can be paid again, with any method.

    https://docs.stripe.com/payments/vouchers: the attempt fails, the intent is not canceled.
    """
    if not is_outside(intent) or (action is not None and intent["next_action"] is not action):
        return
    method = state.methods[intent["payment_method"]]
    error = {
        "code": "payment_intent_payment_attempt_expired",
        "message": "The payment attempt has expired: it was not paid in time.",
        "type": "card_error",
    }
    _back_to_start(state, intent, method, error)
    checkout.follow(state, intent)


def _move_cash(
    state: StripeState, intent: JsonObject, kind: str, amount: int, *, ending: int
) -> JsonObject:
    """A change of the cash balance of an intent's customer."""
    transaction: JsonObject = {
        "id": state.new_id("ccsbtxn"),
        "object": "customer_cash_balance_transaction",
        "created": state.now(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "customer_account": None,
        "ending_balance": ending,
        "livemode": False,
        "net_amount": amount,
        "type": kind,
    }
    if kind == "funded":
        bank = {"bic": "SOGEDEFF", "iban_last4": "3000", "sender_name": "Ada Lovelace"}
        transfer = {"type": "eu_bank_transfer", "reference": None, "eu_bank_transfer": bank}
        transaction[kind] = {"bank_transfer": transfer}
    if kind == "applied_to_payment":
        transaction[kind] = {"payment_intent": intent["id"]}
    state.emit("customer_cash_balance_transaction.created", transaction)
    return transaction


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
            "stripe_js": action_page(state, intent),
            "source": state.new_id("src"),
        },
    }


def _redirect(state: StripeState, intent: JsonObject, return_url: str | None) -> JsonObject:
    return {
        "type": "redirect_to_url",
        "redirect_to_url": {"return_url": return_url, "url": action_page(state, intent)},
    }


def action_page(state: StripeState, intent: JsonObject) -> str:
    """Where the shopper passes or fails the challenge that an intent waits for."""
    secret = intent["client_secret"]
    return f"{state.public_url}/redirect/authenticate/{intent['id']}?client_secret={secret}"
