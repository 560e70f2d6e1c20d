"""Customers, their stored payment methods, and charges without the shopper."""
