"""commercetools' error answers as the connector's errors.

| commercetools                         | here                                                |
|---------------------------------------|-----------------------------------------------------|
| 400 DuplicateField                    | DuplicateField                                      |
| 400 with a code of the caller's fault | InvalidRequest with the same code                   |
| 404                                   | NotFound                                            |
| 409                                   | VersionConflict                                     |
| 429, 5xx                              | BackendUnavailable                                  |
| anything else                         | BackendError: our credentials, scopes or contract   |

Codes: https://docs.commercetools.com/api/errors
"""

from __future__ import annotations

import math
from typing import Any

import msgspec
from msgspec import Struct

from stripe_connector.clock import Clock
from stripe_connector.errors import (
    BackendError,
    BackendUnavailable,
    ConnectorError,
    DuplicateField,
    InvalidRequest,
    NotFound,
    VersionConflict,
)
from stripe_connector.gateways.outgoing import Response, retry_after

BACKEND = "commercetools"

_CALLERS_FAULT = frozenset(
    {
        "DiscountCodeNonApplicable",
        "InvalidField",
        "InvalidItemShippingDetails",
        "InvalidOperation",
        "MatchingPriceNotFound",
        "MissingTaxRateForCountry",
        "MoneyOverflow",
        "ObjectNotFound",
        "OutOfStock",
        "PriceChanged",
        "ReferenceExists",
        "ReferencedResourceNotFound",
        "RequiredField",
        "ResourceNotFound",
        "ShippingMethodDoesNotMatchCart",
    }
)

_PUBLIC_FIELDS = ("field", "typeId", "id", "currentVersion", "lineItems", "skus")
"""Of an error's own fields. Values that were sent stay out: they may be personal."""


class _Answer(Struct):
    message: str = ""
    errors: list[dict[str, Any]] = []
    error: str = ""
    """OAuth's code; the authorization server sends it beside `errors`."""


_answer = msgspec.json.Decoder(_Answer)


def commercetools_error(response: Response, subject: str, clock: Clock) -> ConnectorError:
    """The error for a response; `subject` names what was requested."""
    answer = _decode(response.content)
    first = answer.errors[0] if answer.errors else {}
    code = str(first.get("code") or answer.error)
    message = str(first.get("message") or answer.message)
    fields = {name: first[name] for name in _PUBLIC_FIELDS if name in first}
    status = response.status_code
    detail = f"{subject}: {status} {code} {message}".rstrip()

    if status == 404:
        return NotFound(f"The {subject} was not found.", detail=detail)
    if status == 409:
        return VersionConflict(
            f"The {subject} was changed meanwhile.", fields=fields, detail=detail
        )
    if status == 400 and code == "DuplicateField":
        return DuplicateField(f"The {subject} exists already.", fields=fields, detail=detail)
    if status == 400 and code in _CALLERS_FAULT:
        return InvalidRequest(message, code=code, fields=fields, detail=detail)
    if status == 429 or status >= 500:
        wait = retry_after(response.headers, clock)
        return BackendUnavailable(
            "commercetools is not available.",
            detail=detail,
            retry_after=None if wait is None else math.ceil(wait),
        )
    return BackendError("commercetools refused a request of the connector.", detail=detail)


def _decode(content: bytes) -> _Answer:
    try:
        return _answer.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # A proxy's page, or no body: only the status is known.
        return _Answer()
