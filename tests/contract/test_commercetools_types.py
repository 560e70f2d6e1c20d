"""What commercetools' published types let be absent, our Structs let be absent, too."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest
from msgspec import Struct

from stripe_connector import money
from stripe_connector.gateways.commercetools import models, orders
from stripe_connector.ledger import payment
from tests.contract.published import Contract

OF: dict[type[Struct], tuple[str, ...]] = {
    payment.CustomFields: ("CustomFields",),
    payment.Payment: ("Payment",),
    payment.PaymentMethodInfo: ("PaymentMethodInfo",),
    payment.PaymentStatus: ("PaymentStatus",),
    payment.Reference: ("Reference",),
    payment.Token: ("PaymentMethodToken",),
    payment.Transaction: ("Transaction",),
    money.Money: ("CentPrecisionMoney", "TypedMoney"),
    models.Address: ("Address",),
    models.Cart: ("Cart",),
    models.CartShipping: ("Shipping",),
    models.Customer: ("Customer",),
    models.KeyReference: ("StoreKeyReference",),
    models.LineItem: ("LineItem", "CustomLineItem"),
    models.PaymentInfo: ("PaymentInfo",),
    models.PaymentMethod: ("PaymentMethod",),
    models.PaymentReference: ("PaymentReference",),
    models.ShippingInfo: ("ShippingInfo",),
    models.TaxedPrice: ("TaxedPrice", "TaxedItemPrice"),
    orders.TotalDiscount: ("DiscountOnTotalPrice",),
    orders.DiscountedShippingPrice: ("DiscountedLineItemPrice",),
    orders.Order: ("Order",),
    orders.OrderLine: ("LineItem",),
    orders.PayableCart: ("Cart",),
    orders.Price: ("Price",),
    orders.PricedLine: ("LineItem", "CustomLineItem"),
    orders.PricedShipping: ("ShippingInfo",),
    orders.Shipping: ("Shipping",),
    orders.OrderedVariant: ("ProductVariant",),
}


@pytest.mark.parametrize("struct", OF, ids=lambda s: s.__name__)
def test_nothing_is_needed_that_may_be_absent(struct: type[Struct], contract: Contract) -> None:
    needed = {f.encode_name for f in msgspec.structs.fields(struct) if f.required}
    for name in OF[struct]:
        missing = needed - contract.required(name)
        assert not missing, f"{name} may come without {sorted(missing)}"


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (payment.TransactionType, "TransactionType"),
        (payment.TransactionState, "TransactionState"),
    ],
)
def test_every_word_of_a_transaction_is_known(words: object, name: str, contract: Contract) -> None:
    assert set(get_args(words)) == contract.words(name)
