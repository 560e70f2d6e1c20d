"""Does our record match Stripe's? Compares both over a time span, and makes it so."""
