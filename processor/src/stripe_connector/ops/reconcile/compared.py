"""Remembers which Payments a run has compared, in memory that does not grow with their number."""

from __future__ import annotations

from hashlib import blake2b
from mmap import mmap

_SLOTS = 1 << 20
"""8 MiB. With more Payments than slots some are forgotten, and compared once more."""


class Compared:
    """A table of 64-bit digests of ids; a newer one takes the slot of an older one."""

    def __init__(self, slots: int = _SLOTS) -> None:
        # Of the system's zeroed pages only those that are written take memory.
        self._slots = memoryview(mmap(-1, 8 * slots)).cast("Q")

    def add(self, payment_id: str) -> None:
        digest = _digest(payment_id)
        self._slots[digest % len(self._slots)] = digest

    def __contains__(self, payment_id: str) -> bool:
        digest = _digest(payment_id)
        return self._slots[digest % len(self._slots)] == digest


def _digest(payment_id: str) -> int:
    return int.from_bytes(blake2b(payment_id.encode(), digest_size=8).digest())
