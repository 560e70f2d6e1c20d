"""Stripe's error answers as the connector's errors.

PaymentRefused
└── StripeRefused            Stripe refused an operation permanently
BackendError
├── IdempotencyMismatch      a key was used again with another body
└── BackendUnavailable
    └── StripeUnavailable    down, slow or busy
        ├── IdempotencyKeyInUse   an equal call is still under way
        └── FailureReplayed       a 5xx that Stripe has stored under the key

No repetition under the same key can change the errors in `KEY_SPENT`; `payments.attempts` decides
what that means for each kind of call.

A missing object is NotFound. Errors of our key, account or request are BackendError: neither a
shopper nor a payments team can correct them.
Codes: https://docs.stripe.com/error-codes
"""

from __future__ import annotations

import math
import re

import msgspec
import stripe
from msgspec import Struct

from stripe_connector.clock import Clock
from stripe_connector.errors import (
    BackendError,
    BackendUnavailable,
    ConnectorError,
    NotFound,
    PaymentRefused,
)
from stripe_connector.gateways.outgoing import retry_after

_KEY = re.compile(r"\b((?:sk|rk|pk|ek)_(?:test|live)|whsec)_[\w*]+")
_SECRET = re.compile(r"_secret_\w+")

_OURS = frozenset(
    {
        "account_invalid",
        "api_key_expired",
        "livemode_mismatch",
        "platform_api_key_expired",
        "secret_key_required",
        "testmode_charges_only",
        "tls_version_unsupported",
        "url_invalid",
    }
)
"""Codes of requests that Stripe refuses for our fault, not the payment's; also `parameter*`."""


class StripeRefused(PaymentRefused):
    """Stripe refused an operation permanently; `code` is Stripe's."""

    param: str | None = None
    """The parameter that Stripe objects to, such as `shipping[phone]`."""
    intent_id: str | None = None
    """The PaymentIntent that was created nevertheless, for example by a declined confirmation."""


class PermissionMissing(BackendError):
    """A restricted key may not do this."""


class StripeUnavailable(BackendUnavailable):
    """Stripe is down, slow or busy; the effect is unknown, and the same key may be sent again."""


class IdempotencyKeyInUse(StripeUnavailable):
    """A call with the same idempotency key is still under way."""

    default_code = "IdempotencyKeyInUse"


class FailureReplayed(StripeUnavailable):
    """Stripe repeats a 5xx that it stored under the idempotency key: this key never gets another
    answer. The first call may have had its effect, or may have it later: Stripe calls it
    indeterminate (https://docs.stripe.com/error-low-level#server-errors)."""


class IdempotencyMismatch(BackendError):
    """An idempotency key was used before with another body."""

    default_code = "IdempotencyMismatch"


KEY_SPENT = (FailureReplayed, IdempotencyMismatch)
"""For `except`: the key that was sent never gets this operation's own answer."""


class _Intent(Struct):
    id: str


class _Error(Struct):
    type: str = ""
    code: str | None = None
    decline_code: str | None = None
    message: str = ""
    param: str | None = None
    payment_intent: _Intent | None = None


class _Answer(Struct):
    error: _Error


_answer = msgspec.json.Decoder(_Answer)


def stripe_error(error: stripe.StripeError, clock: Clock) -> ConnectorError:
    """The connector's error for an exception of the SDK."""
    answer = _decode(error)
    code = answer.code
    status = error.http_status or 0
    message = without_secrets(answer.message)
    detail = " ".join(
        str(part)
        for part in (type(error).__name__, status, code, error.request_id, message)
        if part
    )
    match error:
        case stripe.CardError():
            return _refused(answer, message, detail)
        case stripe.IdempotencyError():
            return IdempotencyMismatch("Stripe refused a repeated request.", detail=detail)
        case stripe.PermissionError():
            return PermissionMissing("Stripe refused the connector's access.", detail=detail)
        case stripe.AuthenticationError():
            return BackendError("Stripe refused the connector's access.", detail=detail)
        case stripe.InvalidRequestError() if code == "resource_missing":
            fields = {"param": answer.param} if answer.param else {}
            return NotFound("There is no such object at Stripe.", fields=fields, detail=detail)
        case stripe.InvalidRequestError() if status == 400 and not _is_ours(answer):
            return _refused(answer, message, detail)
        case stripe.InvalidRequestError():
            return BackendError("Stripe refused a request of the connector.", detail=detail)
        case _ if code == "idempotency_key_in_use":
            return IdempotencyKeyInUse("Stripe is still working on this.", detail=detail)
    return _unavailable(error, detail, clock)


def other_mode(what: str) -> BackendError:
    """The error for an answer of the other mode (live or test) than the key's."""
    return BackendError("Stripe answered in another mode than that of the key.", detail=what)


def without_secrets(text: str) -> str:
    """Text without keys and client secrets; Stripe quotes them in some of its messages."""
    return _SECRET.sub("_secret_***", _KEY.sub(r"\1_***", text))


def _is_ours(answer: _Error) -> bool:
    if "[images]" in (answer.param or ""):
        return False  # pictures come from the catalogue
    code = answer.code
    return code is not None and (code in _OURS or code.startswith("parameter"))


def _refused(answer: _Error, message: str, detail: str) -> StripeRefused:
    refused = StripeRefused(
        message or "Stripe refused the payment.",
        code=answer.code or answer.type or None,
        fields={"declineCode": answer.decline_code} if answer.decline_code else None,
        detail=detail,
    )
    refused.param = answer.param
    if answer.payment_intent is not None:
        refused.intent_id = answer.payment_intent.id
    return refused


def _unavailable(error: stripe.StripeError, detail: str, clock: Clock) -> StripeUnavailable:
    headers = error.headers or {}
    wait = retry_after(headers, clock)
    stored = headers.get("idempotent-replayed") == "true" and (error.http_status or 0) >= 500
    kind = FailureReplayed if stored else StripeUnavailable
    return kind(
        "Stripe is not available.",
        detail=detail,
        retry_after=None if wait is None else math.ceil(wait),
    )


def _decode(error: stripe.StripeError) -> _Error:
    try:
        return _answer.decode(error.http_body or "").error
    except msgspec.DecodeError:
        # A proxy's page, or no body: only the status is known.
        return _Error()
