"""What Stripe is told for comfort: names, addresses, phones, e-mail. It never costs a sale.

Texts are trimmed and cut to Stripe's limits. Where Stripe refuses one all the same, such as an
e-mail address that it finds invalid, the call is repeated without it, under another key.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from stripe_connector.gateways.stripe.errors import StripeRefused

T = TypeVar("T")
Params = dict[str, Any]
logger = logging.getLogger(__name__)

NAME = 256
PHONE = 20
EMAIL = 512
ADDRESS = 5000
"""Characters that Stripe takes (https://docs.stripe.com/api/customers/create); what names no limit
takes 5,000."""

_FIELDS = ("shipping", "customer_email", "receipt_email", "email", "name", "phone", "address")
"""Parameters that may be missing, as Stripe names them; of nested ones the outermost."""
_BY_CODE = {"email_invalid": ("customer_email", "receipt_email", "email")}
_TRIES = len(_FIELDS)


def fitting(text: str | None, limit: int) -> str | None:
    """A text as Stripe takes it; None where nothing is left of it."""
    return (text or "").strip()[:limit].strip() or None


async def without_refused(
    call: Callable[[Params, str], Awaitable[T]], params: Mapping[str, Any], key: str
) -> T:
    """What `call` answers to the params and an idempotency key; what names a refused comfort field
    is left out of the next try. Any other refusal is raised."""
    sent = dict(params)
    for left_out in range(_TRIES):
        try:
            return await call(sent, f"{key}:without-{left_out}" if left_out else key)
        except StripeRefused as refusal:
            field = _refused_field(sent, refusal)
            if field is None:
                raise
            told = {"field": field, "code": refusal.code}
            logger.warning("Stripe refuses a text of the shopper's", extra={"fields": told})
            del sent[field]
    return await call(sent, f"{key}:without-{_TRIES}")


def _refused_field(sent: Mapping[str, Any], refusal: StripeRefused) -> str | None:
    """The comfort field that a refusal names, as far as it was sent."""
    named = (refusal.param or "").partition("[")[0]
    by_code = _BY_CODE.get(refusal.code, ())
    return next(
        (field for field in _FIELDS if field in sent and (field == named or field in by_code)), None
    )
