"""A call of the API as its operation sees it: authenticated, decoded, its parameters checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from msgspec import Struct

from sandbox.stripe.errors import no_such
from sandbox.stripe.forms import Kind
from sandbox.stripe.objects import JsonObject, Table
from sandbox.stripe.state import StripeState


class Call(Struct):
    """What an operation works with."""

    state: StripeState
    params: dict[str, Any]
    """Checked values of the body, or of the query of a GET."""
    path: dict[str, str]
    """Ids in the URL."""
    version: str
    version_sent: bool = True
    """Whether the caller named the version, rather than take the account's."""
    publishable: bool = False
    """Called with the publishable key, hence by a browser."""

    def named(self, table: Table, name: str = "id") -> JsonObject:
        """The object that the URL names, else 404."""
        key = self.path[name]
        found = table.get(key)
        if found is None:
            raise no_such(table.noun, key, _PATH_PARAMS.get(table.noun, "id"), in_path=True)
        return found


_PATH_PARAMS = {
    "PaymentMethod": "payment_method",
    "checkout.session": "session",
    "coupon": "coupon",
    "payment_intent": "intent",
}


class Operation(Struct, frozen=True):
    """A method and path of the API, the parameters it accepts and what it does."""

    method: Literal["GET", "POST", "DELETE"]
    path: str
    run: Callable[[Call], JsonObject]
    accepts: Kind
    browser: bool = False
    """May be called with the publishable key."""
