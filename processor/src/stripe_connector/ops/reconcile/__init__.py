"""Compares our Payments with Stripe over a time span, and repairs the differences."""
