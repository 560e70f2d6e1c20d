"""A stand-in for Stripe in memory: accounts and their modes, each a state of its own."""
