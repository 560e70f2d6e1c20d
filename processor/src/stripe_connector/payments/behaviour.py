"""How a cart is to be paid: settings, overridden by the behaviour rules that match the cart."""

from __future__ import annotations

from msgspec import UNSET, Struct

from stripe_connector.gateways.commercetools.models import Cart
from stripe_connector.settings import BehaviorRule, Settings


class Behaviour(Struct, frozen=True):
    """The behaviour for one cart."""

    flow_type: str
    """deferred, or pi_first: the intent exists before the element is shown."""
    capture_method: str
    setup_future_usage: str | None
    collect_billing_address: str
    payment_methods: frozenset[str] | None = None
    """The only types that may pay; None for all."""
    payment_method_configuration: str | None = None


STORED_USAGE = "on_session"
"""The usage for which a method is stored if the shopper agrees and no setting decides."""


def behaviour_of(cart: Cart, settings: Settings, *, store: bool = False) -> Behaviour:
    """Resolve a cart's behaviour.

    Each of the cart's countries (its own, billing, shipping) and then its store key is looked up;
    the first that has a rule wins. A recurring cart always saves its payment method for charges
    without the shopper, whatever the rules and the flow say; otherwise intent-first saves nothing.
    With `store`, the shopper has agreed: the method is saved, for the configured usage.
    """
    rule = _rule(cart, settings)
    flow = rule.flow_type or settings.stripe_payment_flow
    usage = _setup_future_usage(cart, rule, settings)
    if store:
        usage = usage or STORED_USAGE
    elif flow == "pi_first" and not cart.is_recurring:
        usage = None
    return Behaviour(
        flow_type=flow,
        capture_method=rule.capture_method or settings.stripe_capture_method,
        setup_future_usage=usage,
        collect_billing_address=(
            rule.collect_billing_address or settings.stripe_collect_billing_address
        ),
        payment_methods=rule.payment_methods,
        payment_method_configuration=rule.payment_method_configuration,
    )


def _rule(cart: Cart, settings: Settings) -> BehaviorRule:
    candidates = (
        cart.country,
        cart.billing_address.country if cart.billing_address else None,
        cart.delivery_address.country if cart.delivery_address else None,
        cart.store.key if cart.store else None,
    )
    rules = settings.stripe_payment_behavior_rules
    return next((rules[c] for c in candidates if c in rules), BehaviorRule())


def _setup_future_usage(cart: Cart, rule: BehaviorRule, settings: Settings) -> str | None:
    if cart.is_recurring:
        return "off_session"
    if rule.setup_future_usage is not UNSET:
        return rule.setup_future_usage
    if settings.stripe_payment_intent_setup_future_usage is not UNSET:
        return settings.stripe_payment_intent_setup_future_usage
    usage = settings.stripe_saved_payment_methods_config.get("payment_method_save_usage")
    return usage if isinstance(usage, str) else None
