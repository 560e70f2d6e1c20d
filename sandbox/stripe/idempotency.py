"""Idempotency keys: the first answer is kept and replayed, whatever it was."""

from __future__ import annotations

import hashlib

from sandbox.stripe.errors import invalid_request, key_in_use, key_reused
from sandbox.stripe.state import StoredAnswer, StripeState

_KEPT_SECONDS = 24 * 3600
_LONGEST = 255


def fingerprint(method: str, path: str, body: bytes) -> bytes:
    """What must be equal for a repetition to be one."""
    return hashlib.sha256(b"\0".join((method.encode(), path.encode(), body))).digest()


def recall(state: StripeState, owner: str, key: str, print_: bytes) -> StoredAnswer | None:
    """The answer kept for a key, if any; refuses a key in use, or used for something else."""
    if len(key) > _LONGEST:
        raise invalid_request(f"Idempotency keys can be up to {_LONGEST} characters long.")
    if (owner, key) in state.keys_in_use:
        raise key_in_use(key)
    _prune(state)
    answer = state.answers.get((owner, key))
    if answer is not None and answer.fingerprint != print_:
        raise key_reused(key)
    return answer


def _prune(state: StripeState) -> None:
    """Stripe may forget a key after a day; this stand-in does so at once."""
    oldest = state.clock.time() - _KEPT_SECONDS
    while state.answers:
        first = next(iter(state.answers))
        if state.answers[first].at > oldest:
            return
        del state.answers[first]
