"""Expected results: each purchase with what must have happened to its money."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct, field

Kind: TypeAlias = Literal["element", "hosted", "recurring"]


class Operation(Struct, frozen=True):
    """A capture, refund, cancellation or reversal with its own key."""

    key: str
    action: str
    cents: int | None
    outcome: str
    """Outcome in its definite answer: approved, received or rejected."""

    @property
    def moved(self) -> bool:
        return self.outcome in ("approved", "received")


class Purchase(Struct):
    """One cart. Amounts in minor units."""

    cart_id: str
    cents: int
    currency: str
    kind: Kind
    payment_id: str = ""
    """Known to the shop only if it started the payment itself."""
    order_id: str = ""
    captured: int = 0
    """What Stripe must have taken."""
    refunded: int = 0
    """What the processors must have paid back."""
    released: bool = False
    """Whether its authorization was cancelled."""
    moved: bool = False
    """Whether Stripe took or holds money, or a bank is still processing."""
    operations: list[Operation] = field(default_factory=list)

    def carried_out(self, operation: Operation) -> None:
        """Record an answered operation, and what must have happened to the money."""
        self.operations.append(operation)
        if not operation.moved:
            return
        match operation.action:
            case "capturePayment":
                self.captured += operation.cents or 0
            case "refundPayment":
                self.refunded += operation.cents or 0
            case "reversePayment" if self.captured:
                self.refunded = self.captured
            case "reversePayment" | "cancelPayment":
                self.released = True


class Book(Struct):
    """All purchases of a run."""

    purchases: list[Purchase] = field(default_factory=list)
    scenarios: dict[str, int] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)
    """Answers that no fault excuses."""

    def count(self, scenario: str) -> None:
        self.scenarios[scenario] = self.scenarios.get(scenario, 0) + 1
