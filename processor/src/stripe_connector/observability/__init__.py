"""Metrics and traces of a processor."""
