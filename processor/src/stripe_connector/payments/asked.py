"""What callers ask for, and why it cannot be: how their fields are called, only http knows."""

from __future__ import annotations

from msgspec import Struct

from stripe_connector.errors import InvalidRequest, invalid_field


class AskedAmount(Struct, frozen=True):
    """An amount in commercetools' minor units, in a currency that is still to be checked."""

    cent_amount: int
    currency_code: str


class Express(Struct, frozen=True):
    """How an express checkout differs: the wallet brings the address, the customer is optional."""

    with_customer: bool


class Wish(Struct, frozen=True):
    """What the shopper says about stored methods: keep this one, or pay with that one."""

    store: bool = False
    stored: str | None = None
    """Its id in commercetools."""
    component: str | None = None
    """The one type of a component that offers no other."""


class ImpossibleValue(InvalidRequest):
    """A value that was asked for cannot be used as things are."""

    default_code = "InvalidField"

    def __init__(
        self, value: object, *, reason: str | None = None, allowed: list[str] | None = None
    ) -> None:
        super().__init__(reason or f"The value '{value}' is not valid.")
        self.value = value
        self.reason = reason
        self.allowed = allowed

    def of_field(self, field: str) -> InvalidRequest:
        """The same, naming the field of the request that held the value."""
        return invalid_field(field, self.value, reason=self.reason, allowed=self.allowed)


class AmountTooHigh(ImpossibleValue):
    """More is asked for than is there; `reason` says what the limit is."""


class OtherCurrency(ImpossibleValue):
    """The amount is in another currency than the payment."""

    def __init__(self, value: str, allowed: str) -> None:
        super().__init__(value, allowed=[allowed])


class UnknownCharge(ImpossibleValue):
    """A refund names a transaction that is no successful charge of its payment."""

    def __init__(self, transaction_id: str) -> None:
        super().__init__(transaction_id, reason="It names no successful charge.")


class UnusableMethod(ImpossibleValue):
    """A payment names a stored method that its cart's customer does not have."""

    def __init__(self, method_id: str) -> None:
        super().__init__(
            method_id, reason="It names no stored payment method of the cart's customer."
        )


class MethodGone(ImpossibleValue):
    """A stored method that was chosen is no longer at Stripe."""

    def __init__(self) -> None:
        super().__init__(None, reason="The stored payment method cannot be charged any more.")

    def of_field(self, field: str) -> InvalidRequest:
        return InvalidRequest(self.message, code=self.code, fields={"field": field})
