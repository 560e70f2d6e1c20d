"""/operations: what Checkout and the Merchant Center ask of a payment connector."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from stripe_connector import context
from stripe_connector.errors import InvalidRequest, invalid_field
from stripe_connector.http.auth import (
    JwtAuth,
    OAuth2Auth,
    OriginAuth,
    SessionAuth,
    SessionPrincipal,
)
from stripe_connector.http.body import json_body
from stripe_connector.http.fields import Fields, named_by
from stripe_connector.http.openapi.documentation import Answer, Documentation, Parameter
from stripe_connector.http.openapi.examples import CART_ID, METHOD_ID, TRANSACTION_ID
from stripe_connector.http.responses import json_response
from stripe_connector.http.routing import AnyEndpoint, Endpoint
from stripe_connector.payments.asked import (
    AmountTooHigh,
    AskedAmount,
    OtherCurrency,
    UnknownCharge,
    UnusableMethod,
)
from stripe_connector.payments.elements import Config, Elements, config
from stripe_connector.payments.modify import (
    AnyCommand,
    CancelCommand,
    CaptureCommand,
    RefundCommand,
    ReverseCommand,
)
from stripe_connector.payments.parts import Outcome
from stripe_connector.payments.stored.charging import ChargeRequest, Transactions
from stripe_connector.settings import Settings
from stripe_connector.storefront.sales import Sales

_IDEMPOTENCY_KEY = "Idempotency-Key"
_KEY_LENGTH = 255


class Component(Struct, frozen=True):
    type: str


class PaymentComponents(Struct, frozen=True):
    """GET /operations/payment-components: what the enabler can build."""

    dropins: list[Component]
    components: list[Component]
    express: list[Component]


def _components(single: Iterable[str]) -> PaymentComponents:
    """Those of all methods, and of the single methods that the account offers."""
    return PaymentComponents(
        dropins=[Component("embedded")],
        components=[Component(type_) for type_ in ("payment", "expressCheckout", *single)],
        express=[Component("dropin")],
    )


class Amount(Struct, frozen=True, rename="camel"):
    """An amount in commercetools' minor units."""

    cent_amount: Annotated[int, Meta(ge=1, le=10**15)]
    currency_code: Annotated[str, Meta(pattern="^[A-Z]{3}$", max_length=3)]

    def asked(self) -> AskedAmount:
        return AskedAmount(self.cent_amount, self.currency_code)


class Modification(Struct, frozen=True, rename="camel", tag_field="action"):
    """One requested change of a payment."""

    merchant_reference: Annotated[str, Meta(max_length=256)] | None = None


class CapturePayment(Modification, frozen=True, tag="capturePayment", kw_only=True):
    amount: Amount


class RefundPayment(Modification, frozen=True, tag="refundPayment", kw_only=True):
    amount: Amount
    transaction_id: Annotated[str, Meta(max_length=256)] | None = None
    """The Charge transaction that the refund belongs to."""


class CancelPayment(Modification, frozen=True, tag="cancelPayment"):
    pass


class ReversePayment(Modification, frozen=True, tag="reversePayment"):
    pass


class PaymentIntentRequest(Struct, frozen=True, rename="camel"):
    """The body of POST /operations/payment-intents/{id}: exactly one action."""

    actions: Annotated[
        list[CapturePayment | RefundPayment | CancelPayment | ReversePayment],
        Meta(min_length=1, max_length=1),
    ]
    merchant_reference: Annotated[str, Meta(max_length=256)] | None = None

    def command(self) -> AnyCommand:
        """The action, under its own reference or else the body's."""
        action = self.actions[0]
        reference = action.merchant_reference
        if reference is None:
            reference = self.merchant_reference
        match action:
            case CapturePayment():
                return CaptureCommand(amount=action.amount.asked(), merchant_reference=reference)
            case RefundPayment():
                return RefundCommand(
                    amount=action.amount.asked(),
                    transaction_id=action.transaction_id,
                    merchant_reference=reference,
                )
            case CancelPayment():
                return CancelCommand(merchant_reference=reference)
            case ReversePayment():
                return ReverseCommand(merchant_reference=reference)


_FIELDS_OF_ACTIONS: Fields = {
    AmountTooHigh: "actions.0.amount.centAmount",
    OtherCurrency: "actions.0.amount.currencyCode",
    UnknownCharge: "actions.0.transactionId",
}


class TransactionRequest(Struct, frozen=True, rename="camel"):
    """The body of POST /operations/transactions."""

    cart_id: UUID
    checkout_transaction_item_id: UUID
    type: Literal["Recurring"]
    payment_method_id: UUID
    """A stored payment method of the cart's customer, in commercetools."""
    amount: Amount | None = None
    """By default all that is due."""
    idempotency_key: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    """Names the transaction; by default the item does."""
    future_order_number: Annotated[str, Meta(min_length=1, max_length=256)] | None = None

    def charge(self) -> ChargeRequest:
        return ChargeRequest(
            str(self.cart_id),
            str(self.checkout_transaction_item_id),
            str(self.payment_method_id),
            self.amount.asked() if self.amount else None,
            self.idempotency_key,
            self.future_order_number,
        )


_FIELDS_OF_TRANSACTION: Fields = {
    AmountTooHigh: "amount.centAmount",
    OtherCurrency: "amount.currencyCode",
    UnusableMethod: "paymentMethodId",
}


class Refusal(Struct, frozen=True):
    code: str
    message: str


class PaymentIntentResponse(Struct, frozen=True):
    outcome: str
    error: Refusal | UnsetType = UNSET


class TransactionError(Struct, frozen=True):
    message: str
    code: str = "PaymentRejected"


class TransactionStatus(Struct, frozen=True):
    state: Literal["Completed", "Failed", "Pending"]
    errors: list[TransactionError] = []
    """Empty unless it failed: the template's schema requires it."""


class TransactionResponse(Struct, frozen=True, rename="camel"):
    """POST /operations/transactions: a refusal is an answer too."""

    transaction_status: TransactionStatus
    payment_id: str


class OperationRoutes:
    """The rows of the table under /operations, its status apart, and /express-config."""

    def __init__(
        self, settings: Settings, elements: Elements, sales: Sales, transactions: Transactions
    ) -> None:
        self._elements = elements
        self._sales = sales
        self._transactions = transactions
        self._for_guests = msgspec.json.encode(config(settings, has_customer=False))
        self._for_customers = msgspec.json.encode(config(settings, has_customer=True))

    def routes(self) -> list[AnyEndpoint]:
        return [
            Endpoint(
                ("GET",),
                "/operations/config",
                SessionAuth(),
                self.config,
                cors=True,
                operation=self.CONFIG,
            ),
            Endpoint(
                ("POST",),
                "/express-config",
                OriginAuth(),
                self.express_config,
                cors=True,
                operation=self.EXPRESS_CONFIG,
            ),
            Endpoint(
                ("GET",),
                "/operations/payment-components",
                JwtAuth(),
                self.payment_components,
                operation=self.COMPONENTS,
            ),
            Endpoint(
                ("POST",),
                "/operations/payment-intents/{id}",
                OAuth2Auth(any_of=("manage_project", "manage_checkout_payment_intents")),
                self.change_payment,
                operation=self.CHANGE_PAYMENT,
            ),
            Endpoint(
                ("POST",),
                "/operations/transactions",
                OAuth2Auth(any_of=("manage_project", "manage_checkout_transactions")),
                self.charge,
                operation=self.CHARGE,
            ),
        ]

    CONFIG = Documentation(
        tag="Checkout in the browser",
        summary="Public configuration",
        answers={200: Answer("What the enabler starts with.", Config)},
        refusals={404: "The cart of the session was not found."},
    )

    async def config(self, _request: Request, principal: SessionPrincipal) -> Response:
        stored = await self._elements.offers_stored(principal.cart_id)
        public = self._for_customers if stored else self._for_guests
        return Response(public, media_type="application/json")

    EXPRESS_CONFIG = Documentation(
        tag="Checkout in the browser",
        summary="Public configuration before there is a session",
        answers={200: Answer("What express buttons start with.", Config)},
        asks_backends=False,
    )

    async def express_config(self, _request: Request, _principal: None) -> Response:
        return Response(self._for_guests, media_type="application/json")

    COMPONENTS = Documentation(
        tag="Operations",
        summary="Components that the enabler offers",
        description=(
            "Those of a single method are what the Stripe account's default configuration has"
            " switched on, read once in ten minutes."
        ),
        answers={200: Answer("The components by kind.", PaymentComponents)},
    )

    async def payment_components(self, _request: Request, _principal: None) -> Response:
        return json_response(_components(await self._elements.list_single()))

    CHANGE_PAYMENT = Documentation(
        tag="Operations",
        summary="Capture, refund, cancel or reverse a payment",
        description=(
            "Takes exactly one action. The same action with the same Idempotency-Key moves money"
            " once; without a key, an action that equals an unfinished one continues it."
        ),
        body=PaymentIntentRequest,
        example={
            "actions": [
                {"action": "refundPayment", "amount": {"centAmount": 100, "currencyCode": "EUR"}}
            ]
        },
        parameters=(
            Parameter("id", "path", "The id of the commercetools Payment."),
            Parameter(
                _IDEMPOTENCY_KEY,
                "header",
                "Names the request, so that it can be repeated.",
                Annotated[str, Meta(min_length=1, max_length=_KEY_LENGTH)],
            ),
        ),
        answers={
            200: Answer(
                "Approved; received, where the outcome follows later; or rejected, with the"
                " reason.",
                PaymentIntentResponse,
            )
        },
        refusals={
            400: "The body or the header is not valid, or the payment's state forbids the action.",
            402: "Stripe refused for good.",
            404: "The payment was not found.",
            409: "Another operation of the payment is unfinished.",
        },
    )

    async def change_payment(self, request: Request, _principal: None) -> Response:
        payment_id = request.path_params["id"]
        body = await json_body(request, PaymentIntentRequest)
        context.note_id("payment", payment_id)
        key = _key(request)
        command = body.command()
        _note_operation(body.actions[0], key)
        if command.merchant_reference is not None:
            context.note_id("merchantReference", command.merchant_reference)
        with named_by(_FIELDS_OF_ACTIONS):
            outcome = await self._sales.modify(payment_id, command, key)
        context.note(outcome=outcome.outcome)
        return json_response(_response(outcome))

    CHARGE = Documentation(
        tag="Operations",
        summary="Charge a stored payment method without the shopper",
        description=(
            "For orders that recur. The same transaction, by its idempotency key or else by its"
            " item, is charged once."
        ),
        body=TransactionRequest,
        example={
            "cartId": CART_ID,
            "checkoutTransactionItemId": TRANSACTION_ID,
            "type": "Recurring",
            "paymentMethodId": METHOD_ID,
        },
        answers={
            201: Answer(
                "The result of the charge; a refusal is a result, too.", TransactionResponse
            )
        },
        refusals={
            400: "The body is not valid, or the cart cannot be charged.",
            402: "Stripe refused for good.",
            404: "The cart was not found.",
            409: "Another transaction of the cart is unfinished, or nothing is left to pay.",
        },
    )

    async def charge(self, request: Request, _principal: None) -> Response:
        body = await json_body(request, TransactionRequest)
        context.note(action="charge")
        context.note(cart=str(body.cart_id))
        if body.future_order_number is not None:
            context.note_id("orderNumber", body.future_order_number)
        if body.idempotency_key is not None:
            context.note(idempotencyKeyHash=_hashed(body.idempotency_key))
        with named_by(_FIELDS_OF_TRANSACTION):
            payment, outcome = await self._transactions.charge(body.charge())
        context.note(
            outcome=outcome.outcome,
            intent=payment.interface_id,
            amount=payment.amount_planned.cent_amount,
            currency=payment.currency,
        )
        return json_response(TransactionResponse(_status(outcome), payment.id), 201)


def _status(outcome: Outcome) -> TransactionStatus:
    match outcome.outcome:
        case "approved":
            return TransactionStatus("Completed")
        case "received":
            return TransactionStatus("Pending")
        case "rejected":
            reason = outcome.message or "The payment was declined."
            return TransactionStatus("Failed", [TransactionError(reason)])


def _note_operation(action: Modification, key: str | None) -> None:
    """Who asked for how much is found in the log; the caller's key only as a hash."""
    context.note(action=type(action).__struct_config__.tag)
    amount: Amount | None = getattr(action, "amount", None)
    if amount is not None:
        context.note(amount=amount.cent_amount, currency=amount.currency_code)
    if key is not None:
        context.note(idempotencyKeyHash=_hashed(key))


def _hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def _key(request: Request) -> str | None:
    key = request.headers.get(_IDEMPOTENCY_KEY)
    if key is None:
        return None
    if not key.strip():
        raise InvalidRequest("The Idempotency-Key header is empty.")
    if len(key) > _KEY_LENGTH:
        raise invalid_field("Idempotency-Key", key[:32], reason="It has over 255 characters.")
    return key


def _response(outcome: Outcome) -> PaymentIntentResponse:
    if outcome.outcome != "rejected":
        return PaymentIntentResponse(outcome.outcome)
    refusal = Refusal(outcome.code or "refused", outcome.message or "Stripe refused the request.")
    return PaymentIntentResponse("rejected", refusal)
