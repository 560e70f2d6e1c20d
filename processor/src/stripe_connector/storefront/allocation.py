"""Divides a whole number over weights so that nothing is lost: the largest-remainder method."""

from __future__ import annotations

from collections.abc import Sequence


def allocate(amount: int, weights: Sequence[int]) -> list[int]:
    """Parts of `amount` in proportion to the weights; they add up to it exactly.

    Each part is its exact share rounded down or up. The parts that lost most by rounding down get
    one more, the first of equals first, so a weight of 0 gets 0. Amount and weights are not
    negative; where all weights are 0, every part is 0.
    """
    whole = sum(weights)
    if whole == 0:
        return [0] * len(weights)
    shares = [divmod(amount * weight, whole) for weight in weights]
    parts = [share for share, _ in shares]
    by_loss = sorted(range(len(shares)), key=lambda i: shares[i][1], reverse=True)
    for i in by_loss[: amount - sum(parts)]:
        parts[i] += 1
    return parts
