"""What may be watched of a processor: metrics and traces."""
