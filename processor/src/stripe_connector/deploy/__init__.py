"""Deployment scripts: set up in Stripe and commercetools what the processor needs."""
