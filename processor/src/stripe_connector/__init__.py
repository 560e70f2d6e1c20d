"""Stripe as payment provider for commercetools Checkout and for any storefront."""

__version__ = "0.1.0"
