"""The correlation id: one name for everything that a request causes, here and at the backends."""

from __future__ import annotations

import re

from stripe_connector.logs import mask

HEADER = "X-Correlation-ID"
_WELL_FORMED = re.compile(r"[A-Za-z0-9._:@/-]{1,256}")


def well_formed(value: str | None) -> bool:
    """Whether an id that another program chose is safe in headers and logs.

    A key, token, card number or e-mail address is not: it would be logged, stored and passed on.
    """
    return value is not None and _WELL_FORMED.fullmatch(value) is not None and mask(value) == value
