"""Deployment: brings Stripe and commercetools to the state that the processor needs."""
