"""Stripe's objects as the ledger sees them: only the fields that decide anything.

Field names are those of the API version in `gateways.stripe.API_VERSION`, and so is what may be
null: a test compares it with the annotations of Stripe's SDK. Stripe adds values to
enumerations without a new version, so they are text here, and unknown ones are logged. Amounts are
in Stripe's minor units, times are Unix seconds.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

Metadata = dict[str, str]

INTENT_STATUSES = frozenset(
    {
        "requires_payment_method",
        "requires_confirmation",
        "requires_action",
        "processing",
        "requires_capture",
        "canceled",
        "succeeded",
    }
)
OPEN: frozenset[str] = frozenset(
    {"requires_payment_method", "requires_confirmation", "requires_action"}
)
"""Statuses of an intent that a shopper can still pay."""
IN_PAGE = frozenset(
    {
        "alipay_handle_redirect",
        "blik_authorize",
        "cashapp_handle_redirect_or_display_qr_code",
        "klarna_display_qr_code",
        "paynow_display_qr_code",
        "promptpay_display_qr_code",
        "redirect_to_url",
        "swish_handle_redirect_or_display_qr_code",
        "upi_handle_redirect_or_display_qr_code",
        "use_stripe_sdk",
        "wechat_pay_display_qr_code",
        "wechat_pay_redirect_to_android_app",
        "wechat_pay_redirect_to_ios_app",
    }
)
"""A shopper takes these in the page within minutes; until then the attempt is unfinished."""
OUTSIDE = frozenset(
    {
        "boleto_display_details",
        "card_await_notification",
        "display_bank_transfer_instructions",
        "konbini_display_details",
        "multibanco_display_details",
        "oxxo_display_details",
        "pix_display_qr_code",
        "verify_with_microdeposits",
    }
)
"""Actions outside of the page, or not by the shopper: the money may arrive days later."""
REFUND_STATUSES = frozenset({"pending", "requires_action", "succeeded", "failed", "canceled"})


class CardMulticapture(Struct, frozen=True):
    status: str = "unavailable"


class CardDetails(Struct, frozen=True):
    multicapture: CardMulticapture | None = None
    amount_authorized: int | None = None
    """An overcapture takes more than this."""
    capture_before: int | None = None


class MethodDetails(Struct, frozen=True):
    """How a charge was paid."""

    type: str
    card: CardDetails | None = None


class Refund(Struct, frozen=True):
    id: str
    amount: int
    currency: str
    status: str | None = None
    charge: str | None = None
    payment_intent: str | None = None
    failure_reason: str | None = None
    reason: str | None = None
    own_metadata: Metadata | None = field(default=None, name="metadata")
    balance_transaction: str | None = None
    """How it changed the account's balance; None where no money was returned."""

    @property
    def metadata(self) -> Metadata:
        return self.own_metadata or {}


class Refunds(Struct, frozen=True):
    """The latest refunds of a charge, newest first."""

    data: list[Refund]
    has_more: bool = False


class Charge(Struct, frozen=True):
    """A Charge: cumulative, as there is no object for a single capture."""

    id: str
    amount: int
    amount_captured: int
    currency: str
    status: str
    """succeeded (also when only authorized), pending or failed."""
    captured: bool
    amount_refunded: int = 0
    """In the pinned version without released authorizations."""
    payment_intent: str | None = None
    payment_method_details: MethodDetails | None = None
    disputed: bool = False
    """Whether it ever was."""
    refunds: Refunds | None = None
    """Present only where it was expanded."""

    @property
    def authorized(self) -> int:
        """What the card's bank has approved; another method's amount is the charge's."""
        card = self.payment_method_details.card if self.payment_method_details else None
        approved = card.amount_authorized if card else None
        return self.amount if approved is None else min(approved, self.amount)


class LastPaymentError(Struct, frozen=True):
    code: str | None = None
    decline_code: str | None = None
    message: str | None = None


class BankTransfer(Struct, frozen=True):
    """How a bank transfer is to be made; it may come in parts."""

    amount_remaining: int | None = None


class NextAction(Struct, frozen=True):
    """What an intent waits for."""

    type: str
    display_bank_transfer_instructions: BankTransfer | None = None


class CardOptions(Struct, frozen=True):
    request_overcapture: str | None = None


class MethodOptions(Struct, frozen=True):
    card: CardOptions | None = None


class MethodConfigurationDetails(Struct, frozen=True):
    id: str | None = None


class PaymentIntent(Struct, frozen=True):
    id: str
    amount: int
    amount_received: int
    currency: str
    status: str
    created: int
    client_secret: str | None = None
    livemode: bool | None = None
    capture_method: str = "automatic"
    latest_charge: str | Charge | None = None
    customer: str | None = None
    payment_method: str | None = None
    setup_future_usage: str | None = None
    last_payment_error: LastPaymentError | None = None
    payment_method_options: MethodOptions | None = None
    allowed_payment_method_types: list[str] | None = None
    payment_method_configuration_details: MethodConfigurationDetails | None = None
    next_action: NextAction | None = None
    own_metadata: Metadata | None = field(default=None, name="metadata")

    @property
    def metadata(self) -> Metadata:
        return self.own_metadata or {}

    @property
    def charge(self) -> Charge | None:
        """The latest charge, if it was expanded."""
        return self.latest_charge if isinstance(self.latest_charge, Charge) else None

    @property
    def charge_id(self) -> str | None:
        return (
            self.latest_charge.id if isinstance(self.latest_charge, Charge) else self.latest_charge
        )

    @property
    def waits_for(self) -> str | None:
        """The action outside of the page that is waited for; unknown actions count as such."""
        if self.status != "requires_action" or self.next_action is None:
            return None
        return None if self.next_action.type in IN_PAGE else self.next_action.type

    @property
    def funded(self) -> int:
        """What was received of a bank transfer in parts: the customer's money, not yet a charge."""
        transfer = self.next_action and self.next_action.display_bank_transfer_instructions
        if not transfer or transfer.amount_remaining is None or self.waits_for is None:
            return 0
        return max(0, self.amount - transfer.amount_remaining)

    @property
    def may_be_overcaptured(self) -> bool:
        """Whether more than authorized may be captured, which raises the intent's amount, too."""
        options = self.payment_method_options
        card = options.card if options else None
        return card is not None and card.request_overcapture == "if_available"


class BalanceTransaction(Struct, frozen=True):
    """Money that comes into the account's balance, or leaves it (negative), in its currency."""

    amount: int


class Dispute(Struct, frozen=True):
    id: str
    amount: int
    currency: str
    status: str
    charge: str | None = None
    payment_intent: str | None = None
    livemode: bool | None = None
    balance_transactions: list[BalanceTransaction] = []

    @property
    def money_is_gone(self) -> bool:
        """Whether money is withdrawn and not reinstated; counted, not summed, as rates differ."""
        withdrawn = sum(1 for each in self.balance_transactions if each.amount < 0)
        return withdrawn > sum(1 for each in self.balance_transactions if each.amount > 0)


class Event(Struct, frozen=True):
    """A snapshot event; `object` is decoded by its type, once it is known to be ours."""

    id: str
    type: str
    created: int
    api_version: str | None
    object: dict[str, Any]
    previous_attributes: dict[str, Any] | None = None
    livemode: bool | None = None

    @property
    def metadata(self) -> Metadata:
        """The metadata of the event's object; empty where it has none."""
        metadata = self.object.get("metadata")
        return metadata if isinstance(metadata, dict) else {}

    @property
    def is_intent(self) -> bool:
        return self.object.get("object") == "payment_intent"

    @property
    def is_unfinished_in_page(self) -> bool:
        """Of an intent: whether the shopper is authenticating, which says nothing about money."""
        action = self.object.get("next_action")
        kind = action.get("type") if isinstance(action, dict) else None
        return self.type == "payment_intent.requires_action" and kind in IN_PAGE

    @property
    def intent_id(self) -> str | None:
        """The intent that the event's object is or belongs to."""
        value = self.object.get("id" if self.is_intent else "payment_intent")
        if isinstance(value, dict):
            value = value.get("id")
        return value if isinstance(value, str) else None
