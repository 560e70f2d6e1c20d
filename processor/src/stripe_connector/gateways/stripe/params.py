"""Bodies of requests to Stripe, as its SDK declares them.

For the type checker only, which refuses a field that Stripe does not have. The SDK's modules of
parameters are large, and none of them is loaded when the processor runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stripe import params
    from stripe.params import checkout

    AddressParams = params.CustomerUpdateParamsAddress
    CaptureParams = params.PaymentIntentCaptureParams
    CheckoutSessionCreateParams = checkout.SessionCreateParams
    ConfirmParams = params.PaymentIntentConfirmParams
    CustomerCreateParams = params.CustomerCreateParams
    CustomerSessionCreateParams = params.CustomerSessionCreateParams
    CustomerUpdateParams = params.CustomerUpdateParams
    IntentCreateParams = params.PaymentIntentCreateParams
    IntentUpdateParams = params.PaymentIntentUpdateParams
    LineItemParams = checkout.SessionCreateParamsLineItem
    RefundCreateParams = params.RefundCreateParams
    SavedMethodFeatures = params.CustomerSessionCreateParamsComponentsPaymentElementFeatures
    ShippingParams = params.PaymentIntentCreateParamsShipping
