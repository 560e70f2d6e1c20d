"""Stripe Checkout for an order: what is sold, its session, and what follows from paying it."""
