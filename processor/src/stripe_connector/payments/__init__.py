"""Use cases of a payment: start, confirm, record, modify, and the customer's stored methods."""
