"""Use cases of shop pages: catalogue, carts, orders, payment pages, fulfilment."""
