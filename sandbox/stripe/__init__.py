"""A stand-in for Stripe: one account in test mode, in memory."""
