"""One tree of errors; each knows its HTTP shape, none carries a secret or personal data.

ConnectorError
├── InvalidRequest          400  the caller's fault: malformed, missing or impossible
├── Unauthenticated         401  no, expired or forged credentials
├── PaymentRefused          402  Stripe refused permanently (declined, not capturable, ...)
├── Forbidden               403  authenticated, but not allowed
├── NotFound                404
├── MethodNotAllowed        405
├── Conflict                409  the resource is in a state that forbids this
│   ├── VersionConflict     409  commercetools: another request wrote first
│   └── DuplicateField      409  commercetools: a unique value is taken
├── Gone                    410  it existed once, and will not exist again
├── PayloadTooLarge         413
├── UnsupportedMediaType    415
├── Misdirected             421
├── TooManyRequests         429
└── BackendError            502  a backend refused us: a key, a scope or a request of ours is wrong
    └── BackendUnavailable  503  a backend is down, slow or busy; repeating may help

The HTTP layer adds its own: Overloaded and Stopping (503), DeadlineExceeded (504).

The body is commercetools' own: `{message, statusCode, errors: [{code, message, ...fields}]}`.
Authentication errors add OAuth's `error` and `error_description`.
"""

from __future__ import annotations

from typing import Any, ClassVar


class ConnectorError(Exception):
    """Base of all errors that may leave the connector.

    `fields` are public and become part of the body; `detail` is for the log alone.
    """

    status: ClassVar[int] = 500
    default_code: ClassVar[str] = "General"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        fields: dict[str, Any] | None = None,
        detail: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.fields = fields or {}
        self.detail = detail
        self.retry_after = retry_after
        """Seconds after which a repetition makes sense (the Retry-After header)."""

    def body(self) -> dict[str, Any]:
        """The response body in commercetools' shape."""
        return {
            "message": self.message,
            "statusCode": self.status,
            "errors": [{"code": self.code, "message": self.message, **self.fields}],
        }


class InvalidRequest(ConnectorError):
    """The request cannot be carried out as it is."""

    status = 400
    default_code = "InvalidOperation"


def invalid_json(detail: str) -> InvalidRequest:
    """The body is not JSON, or not the JSON that the route takes."""
    return InvalidRequest(
        "Request body does not contain valid JSON.",
        code="InvalidJsonInput",
        fields={"detailedErrorMessage": detail},
    )


def invalid_field(
    field: str, value: object, *, reason: str | None = None, allowed: list[str] | None = None
) -> InvalidRequest:
    """A field has a value that is not allowed; `field` is its dotted path."""
    fields: dict[str, Any] = {"field": field, "invalidValue": value}
    if allowed is not None:
        fields["allowedValues"] = allowed
    message = f"The value '{value}' is not valid for field '{field}'."
    return InvalidRequest(
        f"{message} {reason}" if reason else message, code="InvalidField", fields=fields
    )


def required_field(field: str) -> InvalidRequest:
    """A field is missing."""
    return InvalidRequest(
        f"A value is required for field '{field}'.", code="RequiredField", fields={"field": field}
    )


class Unauthenticated(ConnectorError):
    """Credentials are missing, expired or forged (RFC 6750 codes)."""

    status = 401
    default_code = "invalid_token"

    def body(self) -> dict[str, Any]:
        return {**super().body(), "error": self.code, "error_description": self.message}


class PaymentRefused(ConnectorError):
    """Stripe refused permanently: repeating the same request cannot succeed.

    `code` is Stripe's error code, `fields["declineCode"]` the card network's where there is one.
    """

    status = 402
    default_code = "PaymentRefused"


class Forbidden(ConnectorError):
    """Authenticated, but without the right to do this."""

    status = 403
    default_code = "insufficient_scope"

    def body(self) -> dict[str, Any]:
        return {**super().body(), "error": self.code, "error_description": self.message}


class NotFound(ConnectorError):
    """The resource does not exist, or the caller may not know that it does."""

    status = 404
    default_code = "ResourceNotFound"


class MethodNotAllowed(ConnectorError):
    status = 405
    default_code = "MethodNotAllowed"


class Conflict(ConnectorError):
    """The resource is in a state that forbids the request."""

    status = 409
    default_code = "Conflict"


class VersionConflict(Conflict):
    """commercetools: the version that the write was computed from is outdated."""

    default_code = "ConcurrentModification"


class DuplicateField(Conflict):
    """commercetools: a value that must be unique (a key, an interfaceId) is taken."""

    default_code = "DuplicateField"


class Gone(ConnectorError):
    """It existed once, and will not exist again."""

    status = 410
    default_code = "Gone"


class PayloadTooLarge(ConnectorError):
    status = 413
    default_code = "PayloadTooLarge"


class UnsupportedMediaType(ConnectorError):
    status = 415
    default_code = "UnsupportedMediaType"


class Misdirected(ConnectorError):
    """The request is for a host name that is not served here (RFC 9110, 421)."""

    status = 421
    default_code = "MisdirectedRequest"


class TooManyRequests(ConnectorError):
    status = 429
    default_code = "TooManyRequests"


class BackendError(ConnectorError):
    """A backend refused a request of ours: configuration or contract, not the caller's fault.

    The backend's message goes into `detail` (logged), never into the body.
    """

    status = 502
    default_code = "BackendError"


class BackendUnavailable(BackendError):
    """A backend is down, slow or busy. The effect of a write may or may not have happened."""

    status = 503
    default_code = "BackendUnavailable"
