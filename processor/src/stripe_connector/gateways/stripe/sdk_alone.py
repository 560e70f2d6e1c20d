"""Imports Stripe's SDK without the HTTP libraries that it looks for.

It imports those that are installed, in case it is given no client; it always gets ours. They would
be a tenth of a cold start, a sixth where httpx is installed as well (docs/performance.md, "Paths
for speed").
"""

from __future__ import annotations

import sys

_UNUSED = ("httpx", "requests")

_unseen = [name for name in _UNUSED if name not in sys.modules]
for _name in _unseen:
    # https://docs.python.org/3/reference/import.html#the-module-cache
    sys.modules[_name] = None  # type: ignore[assignment]
try:
    import stripe  # noqa: F401
finally:
    for _name in _unseen:
        del sys.modules[_name]
