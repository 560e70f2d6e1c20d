"""Computes what a Payment must record from Stripe's objects: pure functions, no I/O."""
