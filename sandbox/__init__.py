"""A local world for the connector: stand-ins for commercetools and Stripe on one machine."""
