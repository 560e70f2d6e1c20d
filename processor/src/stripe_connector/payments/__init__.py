"""Use cases of a payment: start, confirm, record, modify, and what belongs to the customer."""
