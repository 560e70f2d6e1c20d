"""Walks on both sides, tidies the real one, and compares."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing

from rehearse.compare import findings
from rehearse.report import Outcome
from rehearse.sides import Side
from rehearse.tidy import prepare, tidy
from rehearse.walk import Walk


async def rehearse(real: Side, stand_in: Side, tell: Callable[[str], None]) -> Outcome:
    """Raises StepFailed where the project cannot be prepared."""
    async with aclosing(real), aclosing(stand_in):
        tell("Walking with the stand-ins.")
        expected, _ = await _walk(stand_in, tell)
        tell("Walking in the real account and project.")
        walk, stays = await _walk(real, tell)
        return Outcome(
            exchanges=len(real.recorder.exchanges),
            findings=findings(real.recorder.exchanges, stand_in.recorder.exchanges),
            failed=[*walk.failed, *(f"with the stand-ins: {each}" for each in expected.failed)],
            remarks=list(dict.fromkeys(walk.remarks)),
            stays=stays,
        )


async def _walk(side: Side, tell: Callable[[str], None]) -> tuple[Walk, list[str]]:
    """The walk, and what stays after tidying up, which happens in any case."""
    walk = Walk(side)
    types = await prepare(side)
    try:
        await walk.run()
    finally:
        side.recorder.step = None
        tell("Tidying up.")
        stays = await tidy(side, types)
    return walk, stays
