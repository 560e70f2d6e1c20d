"""Our Structs of Stripe's objects, beside the classes of Stripe's SDK that they are of.

The SDK's annotations are Stripe's published types of the pinned version: which fields may be null,
and which words are open (a union of Literal and str).
"""

from __future__ import annotations

import typing
from collections.abc import Iterator
from types import NoneType
from typing import Any, Literal

import msgspec
import stripe
from msgspec import Struct, ValidationError
from stripe.checkout import Session

from stripe_connector.gateways.stripe import administration, models
from stripe_connector.gateways.stripe import signed_events as webhooks
from stripe_connector.ledger import stripe_objects as ours

Json = dict[str, Any]

OF: dict[type[Struct], type[Any]] = {
    ours.BalanceTransaction: stripe.BalanceTransaction,
    ours.BankTransfer: stripe.PaymentIntent.NextAction.DisplayBankTransferInstructions,
    ours.CardDetails: stripe.Charge.PaymentMethodDetails.Card,
    ours.CardMulticapture: stripe.Charge.PaymentMethodDetails.Card.Multicapture,
    ours.CardOptions: stripe.PaymentIntent.PaymentMethodOptions.Card,
    ours.Charge: stripe.Charge,
    ours.Dispute: stripe.Dispute,
    ours.LastPaymentError: stripe.PaymentIntent.LastPaymentError,
    ours.MethodConfigurationDetails: stripe.PaymentIntent.PaymentMethodConfigurationDetails,
    ours.MethodDetails: stripe.Charge.PaymentMethodDetails,
    ours.MethodOptions: stripe.PaymentIntent.PaymentMethodOptions,
    ours.NextAction: stripe.PaymentIntent.NextAction,
    ours.PaymentIntent: stripe.PaymentIntent,
    ours.Refund: stripe.Refund,
    ours.Refunds: stripe.ListObject,
    models.AccountOnFile: stripe.PaymentMethod.SepaDebit,
    models.CardOnFile: stripe.PaymentMethod.Card,
    models.CashBalanceTransaction: stripe.CustomerCashBalanceTransaction,
    models.CheckoutSession: Session,
    models.CustomerDetails: Session.CustomerDetails,
    models.StripeCustomer: stripe.Customer,
    models.StripePaymentMethod: stripe.PaymentMethod,
    administration.AccountDetails: stripe.Account,
    administration.WalletDetails: stripe.PaymentMethodDomain.ApplePay.StatusDetails,
    administration.WalletOnDomain: stripe.PaymentMethodDomain.ApplePay,
    administration.ListedEvent: stripe.Event,
    administration.PaymentMethodDomain: stripe.PaymentMethodDomain,
    administration.WebhookEndpoint: stripe.WebhookEndpoint,
    webhooks.Delivery: stripe.Event,
    webhooks.DeliveredObject: stripe.Event.Data,
}
NOT_OF_STRIPE: frozenset[str] = frozenset({"Event", "MethodConfiguration"})
"""Ours alone: made of a Delivery, and of an object in which every type is a field."""
NARROWER = {
    (administration.AccountDetails, "charges_enabled"),
    (administration.AccountDetails, "payouts_enabled"),
}
"""Only doctor reads them; the stand-in and Stripe's own account always have them."""


def structs() -> Iterator[type[Struct]]:
    """Every Struct that Stripe's JSON is decoded into."""
    for module in (ours, models, administration, webhooks):
        for value in vars(module).values():
            is_struct = isinstance(value, type) and issubclass(value, Struct)
            if is_struct and value.__module__ == module.__name__:
                yield value


def may_be_null(annotation: Any) -> bool:
    return NoneType in typing.get_args(annotation)


def is_word(annotation: Any) -> bool:
    """Whether a field holds one of a set of words, be it open or closed today."""
    parts = (annotation, *typing.get_args(annotation))
    return any(typing.get_origin(part) is Literal for part in parts)


def takes(type_: Any, value: Any) -> bool:
    """Whether one of our fields can be decoded from a value."""
    try:
        msgspec.convert(value, type_)
    except ValidationError:
        return False
    return True


def places(value: Json, class_: type[Any], path: tuple[str, ...] = ()) -> Iterator[Place]:
    """Every place of an object where its published type allows something else."""
    for name, annotation in class_.__annotations__.items():
        if name not in value:
            continue
        here = (*path, name)
        if may_be_null(annotation):
            yield Place(here, "null")
            yield Place(here, "absent")
        if is_word(annotation) and name != "object" and isinstance(value[name], str):
            yield Place(here, "word")
        inner = value[name]
        nested = _class_in(annotation)
        if nested is not None and isinstance(inner, dict):
            yield from places(inner, nested, here)


class Place(Struct, frozen=True):
    """One place of an object, and what is there instead."""

    path: tuple[str, ...]
    what: Literal["null", "absent", "word", "more"]

    def __str__(self) -> str:
        return f"{'.'.join(self.path)} {self.what}"

    def change(self, value: Json) -> None:
        """Make it so, in an object that has all that leads there."""
        *outer, last = self.path
        for name in outer:
            value = value[name]
        match self.what:
            case "null":
                value[last] = None
            case "absent":
                value.pop(last, None)
            case "word":
                value[last] = "a_word_of_tomorrow"
            case "more":
                value[last] = {"of": ["tomorrow"]}


def _class_in(annotation: Any) -> type[Any] | None:
    """The class of the SDK that a nested object is of."""
    for part in (annotation, *typing.get_args(annotation)):
        if isinstance(part, typing.ForwardRef):
            part = getattr(stripe, part.__forward_arg__, None)
        if isinstance(part, type) and issubclass(part, stripe.StripeObject):
            return part
    return None
