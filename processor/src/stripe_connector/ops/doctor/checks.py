"""Checks and their results; all checks run concurrently, each with a time limit."""

from __future__ import annotations

import asyncio
import errno
import socket
import uuid
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum

from msgspec import Struct

from stripe_connector import context
from stripe_connector.errors import BackendUnavailable, ConnectorError
from stripe_connector.gateways.transport import NoAnswer
from stripe_connector.logs import mask


class CheckOutcome(StrEnum):
    """The outcome of a check."""

    OK = "ok"
    WARN = "warn"
    """Works, but not as it should."""
    FAIL = "fail"
    SKIPPED = "skipped"
    """Not run, for the reason given."""


class Finding(Struct, frozen=True):
    """What a check found: a fact, or a cause and its remedy."""

    outcome: CheckOutcome
    text: str
    remedy: str = ""


def sound(text: str) -> Finding:
    return Finding(CheckOutcome.OK, text)


def doubtful(cause: str, remedy: str) -> Finding:
    return Finding(CheckOutcome.WARN, cause, remedy)


def broken(cause: str, remedy: str) -> Finding:
    return Finding(CheckOutcome.FAIL, cause, remedy)


def skipped(reason: str) -> Finding:
    return Finding(CheckOutcome.SKIPPED, reason)


class Peer(Struct, frozen=True):
    """The server that a check calls, and the remedy where it does not answer."""

    name: str
    remedy: str


class Check(Struct, frozen=True):
    """One check; `run` may raise any ConnectorError."""

    group: str
    name: str
    run: Callable[[], Awaitable[Finding]]
    peer: Peer
    needs: tuple[str, ...] = ()
    """Earlier checks that must succeed first; otherwise this one is skipped."""


class Result(Struct, frozen=True, rename="camel"):
    """One line of the report."""

    group: str
    name: str
    outcome: CheckOutcome
    text: str
    remedy: str
    request_id: str
    """The correlation id of the check's calls, to find them in the backends' logs."""


async def run_checks(
    checks: Sequence[Check],
    *,
    limit_s: float,
    on_result: Callable[[Result], None] = lambda _: None,
) -> list[Result]:
    """Run all checks, each for at most `limit_s` seconds; results are in the order of the checks.

    `on_result` is called with each result as soon as it is known.
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
        return broken(f"{peer.name} did not answer within {limit_s:g} s.", peer.remedy)
    except BackendUnavailable as error:
        return broken(f"{peer.name} {_why_silent(error)}{_said(error)}.", peer.remedy)
    except ConnectorError as error:
        return broken(f"{peer.name} answered unexpectedly{_said(error)}.", peer.remedy)


def _why_silent(error: BackendUnavailable) -> str:
    """Whether it was too slow, is not there, or has no such name."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, TimeoutError):
            return "did not answer in time"
        if isinstance(cause, NoAnswer):
            match cause.os_error:
                case socket.gaierror():
                    return "has a name that cannot be found"
                case OSError(errno=errno.ECONNREFUSED):
                    return "refuses connections"
        cause = cause.__cause__
    return "did not answer"


def _said(error: ConnectorError) -> str:
    return f" ({error.detail})" if error.detail else ""


def _result(check: Check, finding: Finding, request_id: str) -> Result:
    # Texts may quote a backend's answer: mask any secret in it.
    return Result(
        check.group,
        check.name,
        finding.outcome,
        mask(finding.text),
        mask(finding.remedy),
        request_id,
    )
