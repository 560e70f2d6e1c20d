"""Stands in for commercetools: carts, orders, payments, sessions, tokens; as strict as it is."""
