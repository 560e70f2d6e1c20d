"""Checks, what they find, and how they are made: side by side, each within its time."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum

from msgspec import Struct

from stripe_connector import context
from stripe_connector.errors import BackendUnavailable, ConnectorError
from stripe_connector.logs import mask


class CheckOutcome(StrEnum):
    """What became of a check."""

    OK = "ok"
    WARN = "warn"
    """Works, but not as it should."""
    FAIL = "fail"
    SKIPPED = "skipped"
    """Not made, for the reason given."""


class Finding(Struct, frozen=True):
    """What a check has found: a fact, or a cause and its mend."""

    outcome: CheckOutcome
    text: str
    mend: str = ""


def sound(text: str) -> Finding:
    return Finding(CheckOutcome.OK, text)


def doubtful(cause: str, mend: str) -> Finding:
    return Finding(CheckOutcome.WARN, cause, mend)


def broken(cause: str, mend: str) -> Finding:
    return Finding(CheckOutcome.FAIL, cause, mend)


def skipped(reason: str) -> Finding:
    return Finding(CheckOutcome.SKIPPED, reason)


class Peer(Struct, frozen=True):
    """Whom a check asks, and what to do when no answer comes."""

    name: str
    mend: str


class Check(Struct, frozen=True):
    """Something to be looked at; `run` may raise any ConnectorError."""

    group: str
    name: str
    run: Callable[[], Awaitable[Finding]]
    peer: Peer
    needs: tuple[str, ...] = ()
    """Earlier checks without whose success this one would only repeat their failure."""


class Result(Struct, frozen=True, rename="camel"):
    """One line of the report."""

    group: str
    name: str
    outcome: CheckOutcome
    text: str
    mend: str
    request_id: str
    """The correlation id that the check's calls carried, for whoever reads the backends' logs."""


async def run_checks(
    checks: Sequence[Check],
    *,
    limit_s: float,
    on_result: Callable[[Result], None] = lambda _: None,
) -> list[Result]:
    """Make all checks, none for longer than `limit_s` seconds; results come in their order.

    `on_result` hears of each as soon as it is known.
    """

    async def make(check: Check, needed: list[asyncio.Task[Result]]) -> Result:
        for task in needed:
            earlier = await task
            if earlier.outcome in (CheckOutcome.FAIL, CheckOutcome.SKIPPED):
                return _result(check, skipped(f"Needs: {earlier.name}."), "")
        request_id = f"doctor-{uuid.uuid4()}"
        context.current.set(context.RequestContext(request_id))
        return _result(check, await _finding(check, limit_s), request_id)

    async def heard(check: Check, needed: list[asyncio.Task[Result]]) -> Result:
        result = await make(check, needed)
        on_result(result)
        return result

    tasks: dict[str, asyncio.Task[Result]] = {}
    async with asyncio.TaskGroup() as group:
        for check in checks:
            needed = [tasks[name] for name in check.needs]
            tasks[check.name] = group.create_task(heard(check, needed))
    return [task.result() for task in tasks.values()]


async def _finding(check: Check, limit_s: float) -> Finding:
    peer = check.peer
    try:
        async with asyncio.timeout(limit_s):
            return await check.run()
    except TimeoutError:
        return broken(f"{peer.name} did not answer within {limit_s:g} s.", peer.mend)
    except BackendUnavailable as error:
        return broken(f"{peer.name} did not answer{_said(error)}.", peer.mend)
    except ConnectorError as error:
        return broken(f"{peer.name} answered unexpectedly{_said(error)}.", peer.mend)


def _said(error: ConnectorError) -> str:
    return f" ({error.detail})" if error.detail else ""


def _result(check: Check, finding: Finding, request_id: str) -> Result:
    # What a backend said is quoted in places: whatever it was, no secret leaves in it.
    return Result(
        check.group,
        check.name,
        finding.outcome,
        mask(finding.text),
        mask(finding.mend),
        request_id,
    )
