"""A storefront on the processor's BFF: catalogue, cart, address, payment, order."""
