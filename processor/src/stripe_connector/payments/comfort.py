"""Comfort fields for Stripe: names, addresses, phones, e-mail, pictures. They never prevent a sale.

Texts are trimmed and cut to Stripe's limits. Where Stripe nevertheless refuses one, such as an
invalid e-mail address, the call is repeated without it, under another key.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar, cast

from stripe_connector.gateways.stripe.errors import StripeRefused

T = TypeVar("T")
P = TypeVar("P", bound=Mapping[str, object])
Sent = dict[str, Any]
logger = logging.getLogger(__name__)

NAME = 256
PHONE = 20
EMAIL = 512
ADDRESS = 5000
"""Characters that Stripe accepts (https://docs.stripe.com/api/customers/create); 5,000 where no
limit is documented."""

_FIELDS = (
    "shipping",
    "customer_email",
    "receipt_email",
    "email",
    "name",
    "phone",
    "address",
    "custom_text",
)
"""Optional parameters, as Stripe names them; of nested ones the outermost."""
_PICTURES = "line_items[][price_data][product_data][images]"
"""Nested in what is needed: left out of each line."""
_BY_CODE = {"email_invalid": ("customer_email", "receipt_email", "email")}
_TRIES = len(_FIELDS) + 1


def fitting(text: str | None, limit: int) -> str | None:
    """A text trimmed and cut for Stripe; None where it is empty."""
    return (text or "").strip()[:limit].strip() or None


async def without_refused(call: Callable[[P, str], Awaitable[T]], params: P, key: str) -> T:
    """Call with the params and an idempotency key; a comfort field that Stripe refuses is left out
    of the next try. Any other refusal is raised."""
    sent: Sent = dict(params)
    for left_out in range(_TRIES):
        try:
            return await call(cast("P", sent), f"{key}:without-{left_out}" if left_out else key)
        except StripeRefused as refusal:
            field = _refused_field(sent, refusal)
            if field is None:
                raise
            told = {"field": field, "code": refusal.code}
            logger.warning("Stripe refuses a comfort field", extra={"fields": told})
            sent = _without(sent, field)
    return await call(cast("P", sent), f"{key}:without-{_TRIES}")


def _refused_field(sent: Sent, refusal: StripeRefused) -> str | None:
    """The comfort field that a refusal names, if it was sent."""
    if "[images]" in (refusal.param or "") and _without(sent, _PICTURES) != sent:
        return _PICTURES
    named = (refusal.param or "").partition("[")[0]
    by_code = _BY_CODE.get(refusal.code, ())
    return next(
        (field for field in _FIELDS if field in sent and (field == named or field in by_code)), None
    )


def _without(sent: Sent, field: str) -> Sent:
    """The params without a comfort field."""
    if field != _PICTURES:
        return {name: value for name, value in sent.items() if name != field}
    lines = [
        {**line, "price_data": {**line["price_data"], "product_data": _without_images(line)}}
        for line in sent.get("line_items") or ()
    ]
    return {**sent, "line_items": lines} if lines else sent


def _without_images(line: Mapping[str, Any]) -> Sent:
    product = line["price_data"]["product_data"]
    return {name: value for name, value in product.items() if name != "images"}
