"""What examples consist of: values as commercetools and Stripe make them."""

from __future__ import annotations

from collections.abc import Mapping

CART_ID = "f2a3d0c4-6f0e-4f6e-9a52-0d7a8f1f3b11"
ORDER_ID = "5d7f0b1e-3c44-4a57-8c0e-6a1f0e6f9a22"
METHOD_ID = "0f6a2c1d-9b8e-4d3f-a1c2-7e5d4b3a2c33"
TRANSACTION_ID = "c1d2e3f4-5a6b-4c7d-8e9f-0a1b2c3d4e44"
INTENT_ID = "pi_3PqXyZ2eZvKYlo2C1a2b3c4d"
SKU = "stoneware-mug-2"

PARAMETER_EXAMPLES: Mapping[str, object] = {
    "id": CART_ID,
    "component": "payment",
    "Idempotency-Key": "refund-4711",
    "X-Express-Checkout": "true",
    "X-Express-Customer-Session": "true",
    "X-Storefront-Token": "a token that the storefront signs",
    "offset": 0,
    "limit": 20,
    "categoryId": "all",
    "currency": "EUR",
    "country": "DE",
    "sku": SKU,
    "code": "SAVE10",
    "token": "the token of an answer to createPaymentLink",
    "resource_id": SKU,
    "ui_mode": "hosted_page",
    "buy_now": "a cookie that an earlier answer has set",
    "order_id": ORDER_ID,
    "session_id": "cs_test_a1b2c3d4e5f6",
}
"""By the names of parameters, which mean the same wherever they occur."""
