"""What commercetools refuses, in the shape and with the codes in which it refuses.

The body is `{statusCode, message, errors: [{code, message, ...}]}`; authorization errors add
OAuth's `error` and `error_description` (https://docs.commercetools.com/api/errors).
"""

from __future__ import annotations

from typing import Any, Literal


class ApiError(Exception):
    """A request that is answered with an error; `fields` belong to the entry in `errors`."""

    def __init__(self, status: int, code: str, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields

    def body(self) -> dict[str, Any]:
        """The body of the answer."""
        error = {"code": self.code, "message": self.message, **self.fields}
        return {"statusCode": self.status, "message": self.message, "errors": [error]}


class AuthError(ApiError):
    """The caller is unknown or may not do this."""

    def body(self) -> dict[str, Any]:
        return {**super().body(), "error": self.code, "error_description": self.message}


def invalid_json(detail: str) -> ApiError:
    """The body is not JSON, or not the JSON that the endpoint takes."""
    return ApiError(
        400,
        "InvalidJsonInput",
        "Request body does not contain valid JSON.",
        detailedErrorMessage=detail,
    )


def invalid_input(message: str) -> ApiError:
    """A parameter is malformed."""
    return ApiError(400, "InvalidInput", message)


def invalid_field(field: str, value: object, allowed: list[str] | None = None) -> ApiError:
    """A field has a value that it cannot take."""
    fields: dict[str, Any] = {"field": field, "invalidValue": value}
    if allowed is not None:
        fields["allowedValues"] = allowed
    return ApiError(
        400, "InvalidField", f"The value '{value}' is not valid for field '{field}'.", **fields
    )


def required_field(field: str) -> ApiError:
    """A field is missing."""
    return ApiError(400, "RequiredField", f"A value is required for field '{field}'.", field=field)


def invalid_operation(message: str) -> ApiError:
    """The resource is in a state that forbids the request."""
    return ApiError(400, "InvalidOperation", message)


def duplicate_field(field: str, value: object) -> ApiError:
    """A value that must be unique is taken."""
    return ApiError(
        400,
        "DuplicateField",
        f"A duplicate value '{value}' exists for field '{field}'.",
        field=field,
        duplicateValue=value,
    )


def reference_not_found(type_id: str, by: Literal["id", "key"], value: str) -> ApiError:
    """A draft or an action refers to what does not exist."""
    identifier = "identifier" if by == "id" else by
    return ApiError(
        400,
        "ReferencedResourceNotFound",
        f"The referenced object of type '{type_id}' with {identifier} '{value}' was not found.",
        typeId=type_id,
        **{by: value},
    )


def not_found(what: str) -> ApiError:
    """There is no such resource."""
    return ApiError(404, "ResourceNotFound", f"The Resource with {what} was not found.")


def concurrent_modification(id_: str, expected: int, actual: int) -> ApiError:
    """Another writer was first."""
    return ApiError(
        409,
        "ConcurrentModification",
        f"Object {id_} has a different version than expected."
        f" Expected: {expected} - Actual: {actual}.",
        currentVersion=actual,
    )


def reference_exists(what: str, referenced_by: str) -> ApiError:
    """A resource cannot be deleted while others refer to it."""
    return ApiError(
        400,
        "ReferenceExists",
        f"Can not delete {what} while it is referenced from at least one '{referenced_by}'.",
        referencedBy=referenced_by,
    )


def invalid_token() -> AuthError:
    """The access token is missing, unknown, expired or revoked."""
    return AuthError(401, "invalid_token", "invalid_token")


def insufficient_scope(wanted: list[str]) -> AuthError:
    """The access token lacks the scope of the resource."""
    return AuthError(
        403,
        "insufficient_scope",
        f"Insufficient scope. One of the following scopes is missing: {', '.join(wanted)}.",
    )
