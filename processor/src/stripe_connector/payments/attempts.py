"""The policy for spent idempotency keys, under which Stripe repeats a stored failure.

A 5xx, a time-out and a key in use are sent again with the same key and body, within a request by
`gateways.outgoing` and afterwards by the caller's repetition. Once Stripe repeats a failure that it
*stored*, that key never gets another answer, while the first call may still take effect: Stripe may
roll it forward later and advises against a new key
(https://docs.stripe.com/error-low-level#server-errors). What may be done then depends on what a
second effect would do.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import TypeVar

from stripe_connector.errors import BackendUnavailable
from stripe_connector.gateways.stripe.errors import KEY_SPENT

T = TypeVar("T")

ATTEMPTS = 3
"""Idempotency keys that one request uses at most; a repetition uses further ones."""


class RepeatEffect(Enum):
    """What would happen if a call took effect twice, under two keys."""

    NOTHING = "nothing"
    """It creates what cannot be paid yet, such as an unconfirmed intent: a new key is safe."""
    REFUSED = "refused"
    """The intent lets it happen once: a cancellation, the last capture, a confirmation. A new key
    is fine once the intent was read and is open as before."""
    TWICE = "twice"
    """Money moves twice: a refund, one of several captures. No new key is used until Stripe shows
    the outcome, or a day has passed and the operation was closed as failed."""


async def create(
    make: Callable[[str], Awaitable[T]], find: Callable[[], Awaitable[T | None]], key: str
) -> T:
    """Create an object that moves no money (`Effect.NOTHING`), with as many keys as needed.

    `make` gets the key to send; its body must not depend on the request, so that two at once create
    one. `find` looks for what an earlier call under a spent key made. Raises BackendUnavailable
    where Stripe stores failures for all keys.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await make(key if attempt == 1 else f"{key}:{attempt}")
        except KEY_SPENT:
            found = await find()
            if found is not None:
                return found
    raise BackendUnavailable("Stripe cannot complete this now, try again.", retry_after=5)
