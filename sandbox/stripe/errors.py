"""Stripe's errors: their types, codes, HTTP statuses and bodies."""

from __future__ import annotations

from sandbox.stripe.objects import JsonObject


class StripeError(Exception):
    """An answer other than 200.

    `stored` says whether an idempotency key keeps this answer: Stripe keeps what came of an
    execution, not what was refused before one began.
    """

    def __init__(self, status: int, *, stored: bool, **error: object) -> None:
        super().__init__(error.get("message"))
        self.status = status
        self.stored = stored
        self.error: JsonObject = error
        code = error.get("code")
        if code is not None:
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{str(code).replace('_', '-')}"

    @property
    def body(self) -> JsonObject:
        return {"error": self.error}


def invalid_request(
    message: str, *, code: str | None = None, param: str | None = None, status: int = 400
) -> StripeError:
    """The request is malformed: refused before anything was executed."""
    return StripeError(
        status, stored=False, type="invalid_request_error", **_present(message, code, param)
    )


def refused(message: str, *, code: str | None = None, param: str | None = None) -> StripeError:
    """The request is well formed, but the object's state forbids it."""
    return StripeError(
        400, stored=True, type="invalid_request_error", **_present(message, code, param)
    )


def unknown_parameter(path: str) -> StripeError:
    return invalid_request(
        f"Received unknown parameter: {path}", code="parameter_unknown", param=path
    )


def missing_parameter(path: str) -> StripeError:
    return invalid_request(f"Missing required param: {path}.", code="parameter_missing", param=path)


def no_such(noun: str, key: str, param: str = "id", *, in_path: bool = False) -> StripeError:
    """404 when the URL names the object, 400 when a parameter does."""
    return invalid_request(
        f"No such {noun}: '{key}'",
        code="resource_missing",
        param=param,
        status=404 if in_path else 400,
    )


def unexpected_state(message: str, intent: JsonObject) -> StripeError:
    """The intent's status forbids the operation."""
    error = refused(message, code="payment_intent_unexpected_state")
    error.error["payment_intent"] = intent
    return error


def card_error(code: str, message: str, **fields: object) -> StripeError:
    """The bank, or a check of the card's data, refused the payment."""
    return StripeError(402, stored=True, type="card_error", code=code, message=message, **fields)


def internal_error() -> StripeError:
    """Something broke inside Stripe; a key keeps this answer like any other."""
    return StripeError(500, stored=True, type="api_error", message="An unknown error occurred.")


def unauthorized(message: str, code: str | None = None) -> StripeError:
    return invalid_request(message, code=code, status=401)


def key_in_use(key: str) -> StripeError:
    return StripeError(
        409,
        stored=False,
        type="idempotency_error",
        code="idempotency_key_in_use",
        message=f"Another request with the idempotency key '{key}' is still being worked on.",
    )


def key_reused(key: str) -> StripeError:
    return StripeError(
        400,
        stored=False,
        type="idempotency_error",
        message=(
            f"The idempotency key '{key}' was first used with other parameters or on another"
            " endpoint: a key belongs to one request."
        ),
    )


def _present(message: str, code: str | None, param: str | None) -> dict[str, object]:
    fields: dict[str, object] = {"message": message}
    if code is not None:
        fields["code"] = code
    if param is not None:
        fields["param"] = param
    return fields
