"""What is kept of customers and their payment methods, and charges without a shopper."""
