"""The names of payment methods: Stripe's, and those by which sessions call them."""

from __future__ import annotations

from collections.abc import Iterable

KNOWN = frozenset(
    """
    acss_debit affirm afterpay_clearpay alipay alma amazon_pay au_becs_debit bacs_debit
    bancontact billie bizum blik boku_promptpay boleto capchase_pay card card_present
    cashapp check_scan click_to_pay crypto customer_balance demo_pay duitnow dummy_auth_push
    dummy_passthrough_card edenred eps fpx gcash getbalance gift_card giropay gopay grabpay
    id_bank_transfer ideal interac_present kakao_pay klarna knet konbini kr_card kr_market
    kriya link mb_way mobilepay momo mondu multibanco naver_pay netbanking ng_bank
    ng_bank_transfer ng_card ng_market ng_ussd ng_wallet nz_bank_account octopus oxxo p24
    paper_check pay_by_bank payco paynow paypal paypay payto pix promptpay qris rechnung
    revolut_pay samsung_pay satispay scalapay sepa_debit sequra shop_pay shopeepay sofort
    south_korea_market stripe_balance sunbit swish tamara test_pay touch_n_go truemoney
    twint upi us_bank_account us_cash_voucher vipps wechat_pay wero zip
    """.split()
)
"""The types that an intent can allow, as the SDK of the pinned API version types them."""

SINGLE = (
    "card",
    "klarna",
    "paypal",
    "ideal",
    "bancontact",
    "blik",
    "twint",
    "eps",
    "p24",
    "sepa_debit",
    "link",
)
"""The types for which the enabler has a component of their own, in the order of its list."""
WALLETS = {"applePay": "apple_pay", "googlePay": "google_pay"}
"""Components of the enabler that open a wallet, and how Stripe's configurations name it."""
_WALLET_NAMES = frozenset(name.lower() for pair in WALLETS.items() for name in pair)
_OTHER_NAMES = {"bcmc": "bancontact", **dict.fromkeys(_WALLET_NAMES, "card")}
"""Wallets are cards; the rest are names of commercetools' connector template."""
_WHOLE = frozenset({"dropin", "embedded", "expresscheckout", "payment"})
"""Components of ours, which Checkout may list as well: they offer all methods."""


def read_names(names: Iterable[str]) -> tuple[frozenset[str] | None, list[str]]:
    """The types that a session's names stand for, and the names that are unknown.

    None where there are no names, or a component among them offers all types.
    """
    given = {name: name.strip().lower().replace("-", "_") for name in names}
    if not given or _WHOLE & set(given.values()):
        return None, []
    types = {name: _OTHER_NAMES.get(word, word) for name, word in given.items()}
    unknown = sorted(name for name, type_ in types.items() if type_ not in KNOWN)
    return frozenset(types.values()) & KNOWN, unknown


def is_wallet(component: str) -> bool:
    """Whether a component shows the button of a wallet instead of a form."""
    return component.lower() in _WALLET_NAMES | {"expresscheckout"}


def single_type(component: str) -> str | None:
    """The one type that a component offers; None where it offers all."""
    type_ = _OTHER_NAMES.get(component.lower(), component)
    return type_ if type_ in KNOWN else None
