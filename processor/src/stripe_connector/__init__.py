"""Puts Stripe behind commercetools Checkout and behind any storefront."""

__version__ = "0.1.0"
