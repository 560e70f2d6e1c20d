"""How long a test waits before it says that something hangs."""

PATIENCE_S = 600.0
"""Never how long something may take: a machine that is slow or busy is no failure."""
