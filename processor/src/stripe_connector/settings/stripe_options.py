"""Stripe's options that are given as JSON: the fields that each may have.

An option unknown to Stripe would otherwise fail, or be ignored, in front of a shopper.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from stripe_connector.method_names import KNOWN
from stripe_connector.settings.values import decode_json

PaymentFlow = Literal["deferred", "pi_first"]
CaptureMethod = Literal["automatic", "automatic_async", "manual"]
CollectBillingAddress = Literal["auto", "never", "if_required"]
FutureUsage = Literal["off_session", "on_session"]
ConfigurationId = Annotated[str, Meta(pattern=r"^pmc_[A-Za-z0-9_]{1,200}(?!\n)$", max_length=204)]

_FUTURE_USAGES: dict[str, FutureUsage | None] = {
    "off_session": "off_session",
    "on_session": "on_session",
    "": None,
    "none": None,
    "null": None,
    "undefined": None,
}


def future_usage(value: str) -> FutureUsage | None:
    """Stripe's setup_future_usage, or None to leave it out."""
    word = value.strip().lower()
    if word not in _FUTURE_USAGES:
        raise ValueError(
            "must be off_session or on_session; empty, none, null or undefined leave it out"
        )
    return _FUTURE_USAGES[word]


_RULE_HINT = (
    "; ".join(
        f"{field} takes {', '.join(get_args(words))}"
        for field, words in {
            "flowType": PaymentFlow,
            "captureMethod": CaptureMethod,
            "setupFutureUsage": Literal[FutureUsage, "none"],
            "collectBillingAddress": CollectBillingAddress,
        }.items()
    )
    + "; paymentMethods takes a list of Stripe's types, paymentMethodConfiguration the id pmc_..."
)


class BehaviorRule(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Overrides for carts of one country or store. None where the rule does not set a value."""

    flow_type: PaymentFlow | None = None
    capture_method: CaptureMethod | None = None
    setup_future_usage: FutureUsage | UnsetType | None = UNSET
    """None leaves setup_future_usage out although it is set for other carts."""
    collect_billing_address: CollectBillingAddress | None = None
    payment_methods: frozenset[str] | None = None
    """Stripe's names of the only types that may pay."""
    payment_method_configuration: ConfigurationId | None = None
    """A configuration of the Stripe account, instead of its default one."""


def behavior_rules(value: str) -> dict[str, BehaviorRule]:
    """Rules by country or store key, in the order given; every faulty rule is reported."""
    rules: dict[str, BehaviorRule] = {}
    problems: list[str] = []
    for discriminator, rule in decode_json(value, dict[str, dict[str, object]]).items():
        if not discriminator or discriminator != discriminator.strip():
            problems.append(
                "has a rule whose key is empty or has white space around it: name a country"
                " or a store key"
            )
            continue
        try:
            rules[discriminator] = _behavior_rule(rule)
        except ValueError as error:
            problems.append(f"rule {discriminator!r}: {error}. {_RULE_HINT}")
    if problems:
        raise ValueError(*problems)
    return rules


def _behavior_rule(rule: dict[str, object]) -> BehaviorRule:
    usage = rule.get("setupFutureUsage")
    if isinstance(usage, str):
        try:
            rule = {**rule, "setupFutureUsage": future_usage(usage)}
        except ValueError as error:
            raise ValueError(f"setupFutureUsage {error}") from None
    converted = msgspec.convert(rule, BehaviorRule)
    names = converted.payment_methods
    if names is not None and (not names or names - KNOWN):
        unknown = ", ".join(sorted(names - KNOWN))
        raise ValueError(
            f"paymentMethods names unknown types: {unknown}"
            if unknown
            else "paymentMethods is empty: leave it out to offer all"
        )
    return converted


Switch = Literal["enabled", "disabled"]


class SavedPaymentMethods(Struct, kw_only=True, forbid_unknown_fields=True):
    """Features of a customer session's Payment Element, as Stripe names them."""

    payment_method_save: Switch | UnsetType = UNSET
    payment_method_save_usage: FutureUsage | UnsetType = UNSET
    payment_method_redisplay: Switch | UnsetType = UNSET
    payment_method_redisplay_limit: Annotated[int, Meta(ge=1, le=10)] | UnsetType = UNSET
    payment_method_remove: Switch | UnsetType = UNSET
    payment_method_allow_redisplay_filters: (
        list[Literal["always", "limited", "unspecified"]] | UnsetType
    ) = UNSET


def saved_payment_methods(value: str) -> dict[str, object]:
    """The configured features, as a parameter for Stripe."""
    features: dict[str, object] = msgspec.to_builtins(
        decode_json(
            value,
            SavedPaymentMethods,
            hint="See payment_element.features in"
            " https://docs.stripe.com/api/customer_sessions/create",
        )
    )
    return features


def payment_element_options(value: str) -> str:
    """Options of the Payment Element, kept as the text that was given."""
    decode_json(
        value,
        PaymentElementOptions,
        hint="See https://docs.stripe.com/js/elements_object/create_payment_element",
    )
    return value


class _Options(Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A part of Stripe.js' options: every field is optional, unknown fields are refused."""


Term = Literal["auto", "always", "never"]
Visibility = Literal["auto", "never"]
AddressVisibility = Literal["auto", "never", "if_required"]
LayoutType = Literal["tabs", "accordion", "auto"]


class Terms(_Options):
    apple_pay: Term | UnsetType = UNSET
    au_becs_debit: Term | UnsetType = UNSET
    bancontact: Term | UnsetType = UNSET
    card: Term | UnsetType = UNSET
    cashapp: Term | UnsetType = UNSET
    google_pay: Term | UnsetType = UNSET
    ideal: Term | UnsetType = UNSET
    klarna: Term | UnsetType = UNSET
    paypal: Term | UnsetType = UNSET
    sepa_debit: Term | UnsetType = UNSET
    sofort: Term | UnsetType = UNSET
    us_bank_account: Term | UnsetType = UNSET


class WalletOptions(_Options):
    email_required: bool | UnsetType = UNSET
    phone_number_required: bool | UnsetType = UNSET


class ApplePay(_Options):
    """What each request contains is for Apple to say."""

    recurring_payment_request: dict[str, object] | UnsetType | None = UNSET
    deferred_payment_request: dict[str, object] | UnsetType | None = UNSET
    automatic_reload_payment_request: dict[str, object] | UnsetType | None = UNSET


class Wallets(_Options):
    apple_pay: Visibility | UnsetType = UNSET
    google_pay: Visibility | UnsetType = UNSET
    link: Visibility | UnsetType = UNSET


class DefaultAddress(Struct, kw_only=True, forbid_unknown_fields=True):
    """Spelled with underscores by Stripe.js, unlike the address of `fields`."""

    country: str | UnsetType = UNSET
    postal_code: str | UnsetType = UNSET
    state: str | UnsetType = UNSET
    city: str | UnsetType = UNSET
    line1: str | UnsetType = UNSET
    line2: str | UnsetType = UNSET


class DefaultBillingDetails(_Options):
    name: str | UnsetType = UNSET
    email: str | UnsetType = UNSET
    phone: str | UnsetType = UNSET
    address: DefaultAddress | UnsetType = UNSET


class DefaultCard(_Options):
    network: list[str] | UnsetType = UNSET


class DefaultValues(_Options):
    billing_details: DefaultBillingDetails | UnsetType = UNSET
    card: DefaultCard | UnsetType = UNSET


class AddressFields(_Options):
    country: Visibility | UnsetType = UNSET
    postal_code: Visibility | UnsetType = UNSET
    state: Visibility | UnsetType = UNSET
    city: Visibility | UnsetType = UNSET
    line1: Visibility | UnsetType = UNSET
    line2: Visibility | UnsetType = UNSET


class BillingDetailsFields(_Options):
    name: Visibility | Literal["always"] | UnsetType = UNSET
    email: Visibility | UnsetType = UNSET
    phone: Visibility | UnsetType = UNSET
    address: AddressVisibility | AddressFields | UnsetType = UNSET


class Fields(_Options):
    """Of all payment methods, and of one."""

    billing_details: Visibility | BillingDetailsFields | UnsetType = UNSET


class _OfAll(_Options):
    fields: Fields


class _OfMethods(_Options):
    fields: dict[str, Fields]


_METHOD = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
"""A payment method's name."""


class Business(_Options):
    name: str


class Layout(_Options):
    type: LayoutType
    default_collapsed: bool | UnsetType = UNSET
    radios: bool | Literal["auto", "always", "never", "if_multiple"] | UnsetType = UNSET
    spaced_accordion_items: bool | UnsetType = UNSET
    visible_accordion_items_count: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    payment_method_logo_position: Literal["start", "end"] | UnsetType = UNSET


class PaymentElementOptions(_Options):
    """Without `paymentMethodTypes`: Stripe decides which methods are offered."""

    terms: Terms | UnsetType = UNSET
    wallets: Wallets | UnsetType = UNSET
    wallet_options: WalletOptions | UnsetType = UNSET
    apple_pay: ApplePay | UnsetType = UNSET
    default_values: DefaultValues | UnsetType = UNSET
    fields: dict[str, object] | UnsetType = UNSET
    business: Business | UnsetType = UNSET
    payment_method_order: list[str] | UnsetType = UNSET
    read_only: bool | UnsetType = UNSET
    layout: LayoutType | Layout | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Check `fields`: those of all methods, and by the name of a method those of this one."""
        given = {} if self.fields is UNSET else self.fields
        of_methods = {name: value for name, value in given.items() if _METHOD.fullmatch(name)}
        msgspec.convert({"fields": of_methods}, _OfMethods)
        of_all = {name: value for name, value in given.items() if name not in of_methods}
        msgspec.convert({"fields": of_all}, _OfAll)
