"""How Stripe's objects become the truth of a commercetools Payment: pure functions, no I/O."""
