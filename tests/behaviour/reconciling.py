"""Runs of `stripe-connector reconcile` in a world, and what they say."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import httpx
import msgspec
from msgspec import Struct

from stripe_connector.ops.reconcile.command import Options, run_reconcile
from stripe_connector.settings import load_settings
from tests.wire import Wire
from tests.world import World, WorldClock

Json = dict[str, Any]


class Result(Struct):
    """What a run has told."""

    code: int
    lines: list[Json]
    summary: Json
    errors: str

    def told(self, outcome: str) -> list[str]:
        """Kinds of the differences of an outcome, in order of their names."""
        return sorted(line["kind"] for line in self.lines if line["outcome"] == outcome)

    @property
    def found(self) -> list[str]:
        return self.told("found")

    @property
    def repaired(self) -> list[str]:
        return self.told("repaired")

    @property
    def remains(self) -> list[str]:
        return self.told("remains")


async def reconcile(
    world: World,
    *,
    out: io.StringIO | None = None,
    stop: asyncio.Event | None = None,
    checkpoint: Path | None = None,
    **options: Any,
) -> Result:
    """One run, a second after all that has happened; `out` keeps what one tells that dies."""
    world.clock.advance(1)
    out, err = out or io.StringIO(), io.StringIO()
    async with httpx.AsyncClient(transport=Wire(world.network)) as http:
        code = await run_reconcile(
            load_settings(world.environment),
            Options(json=True, rate=1000, checkpoint=checkpoint, **options),
            http=http,
            stop=stop or asyncio.Event(),
            clock=WorldClock(world.clock),
            out=out,
            err=err,
        )
    *lines, last = told(out) or [{}]
    return Result(code, lines, last.get("summary", {}), err.getvalue())


def told(out: io.StringIO) -> list[Json]:
    return [msgspec.json.decode(line) for line in out.getvalue().splitlines()]


async def repaired_for_good(world: World, **options: Any) -> Result:
    """A run that repairs, after which another one finds nothing and writes nothing."""
    first = await reconcile(world, apply=True, **options)
    assert first.code == 0, first
    before = len(world.network.calls)
    again = await reconcile(world, apply=True, **options)
    assert (again.code, again.lines) == (0, []), again
    assert written(world, before) == []
    return first


def written(world: World, since: int = 0) -> list[str]:
    """The writing calls from a number on; asking for a token is none."""
    return [
        call.name
        for call in world.network.calls[since:]
        if call.method != "GET" and "/oauth/" not in call.path
    ]
