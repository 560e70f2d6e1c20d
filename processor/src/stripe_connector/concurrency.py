"""Independent calls side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


async def both(first: Awaitable[A], second: Awaitable[B]) -> tuple[A, B]:
    """Run two calls at once and wait for both, also where one fails.

    Unlike a bare gather, nothing goes on behind the caller's back once the error is raised.
    """
    one, two = await asyncio.gather(first, second, return_exceptions=True)
    if isinstance(one, BaseException):
        raise one
    if isinstance(two, BaseException):
        raise two
    return one, two


async def every(calls: Iterable[Awaitable[A]]) -> list[A]:
    """Run any number of equal calls at once; like `both`, it waits for all of them."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    done: list[A] = []
    for result in results:
        if isinstance(result, BaseException):
            raise result
        done.append(result)
    return done
