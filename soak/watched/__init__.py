"""A real Prometheus over a small world in which each alert is provoked once."""
