"""The merchant desk: payments beside Stripe's objects, and what one can do to them."""
