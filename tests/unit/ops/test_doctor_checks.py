"""How checks are made: side by side, in time, and not where they would only repeat a failure."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable

import pytest

from stripe_connector import context
from stripe_connector.assembly import outgoing_of_command
from stripe_connector.errors import BackendError, BackendUnavailable
from stripe_connector.gateways.outgoing import ONCE
from stripe_connector.gateways.transport import NoAnswer
from stripe_connector.ops.doctor.checks import (
    Check,
    CheckOutcome,
    Finding,
    Peer,
    Result,
    broken,
    doubtful,
    run_checks,
    skipped,
    sound,
)
from stripe_connector.ops.doctor.command import is_sound
from stripe_connector.ops.doctor.settings_checks import secrets_are_real
from stripe_connector.settings import load_settings
from tests.world import ENVIRONMENT

PEER = Peer("The host", "Start the host.")


def check(name: str, run: Callable[[], Awaitable[Finding]], *needs: str) -> Check:
    return Check("Group", name, run, PEER, needs)


def finds(finding: Finding) -> Callable[[], Awaitable[Finding]]:
    async def run() -> Finding:
        return finding

    return run


def raises(error: Exception) -> Callable[[], Awaitable[Finding]]:
    async def run() -> Finding:
        raise error

    return run


async def hang() -> Finding:
    await asyncio.Event().wait()
    raise AssertionError


async def only(run: Callable[[], Awaitable[Finding]], limit_s: float = 60) -> Result:
    (result,) = await run_checks([check("one", run)], limit_s=limit_s)
    return result


async def test_a_check_that_hangs_fails_by_the_name_of_whom_it_asked() -> None:
    result = await only(hang, limit_s=0)
    assert result.outcome is CheckOutcome.FAIL
    assert result.text == "The host did not answer within 0 s."
    assert result.remedy == "Start the host."


async def test_a_host_that_is_down_is_told_with_what_is_known_of_it() -> None:
    down = BackendUnavailable("down", detail="GET host: ConnectError refused")
    result = await only(raises(down))
    assert result.text == "The host did not answer (GET host: ConnectError refused)."
    assert result.remedy == "Start the host."


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (TimeoutError(), "did not answer in time"),
        (
            NoAnswer("", ConnectionRefusedError(errno.ECONNREFUSED, "refused")),
            "refuses connections",
        ),
        (
            NoAnswer("", socket.gaierror(socket.EAI_NONAME, "unknown")),
            "has a name that cannot be found",
        ),
        (NoAnswer("cut off"), "did not answer"),
    ],
)
async def test_why_a_host_is_silent_has_its_right_name(cause: Exception, words: str) -> None:
    down = BackendUnavailable("down")
    down.__cause__ = cause
    assert (await only(raises(down))).text == f"The host {words}."


@pytest.mark.parametrize(
    ("port", "host", "words"),
    [(9, "127.0.0.1", "refuses connections"), (80, "no-such-host.invalid", "cannot be found")],
)
async def test_the_real_client_tells_a_refusal_from_an_unknown_name(
    port: int, host: str, words: str
) -> None:
    async with outgoing_of_command() as outgoing:

        async def ask() -> Finding:
            await outgoing.send("GET", f"http://{host}:{port}/", backend="The host", retry=ONCE)
            raise AssertionError

        assert words in (await only(ask)).text


async def test_an_answer_that_nobody_expects_is_a_failure_and_not_the_end() -> None:
    result = await only(raises(BackendError("refused", detail="403 insufficient_scope")))
    assert result.outcome is CheckOutcome.FAIL
    assert result.text == "The host answered unexpectedly (403 insufficient_scope)."


@pytest.mark.parametrize("finding", [broken("a cause", "a remedy"), skipped("a reason")])
async def test_what_needs_a_failed_or_skipped_check_is_skipped_and_so_on(finding: Finding) -> None:
    results = await run_checks(
        [
            check("first", finds(finding)),
            check("second", hang, "first"),
            check("third", hang, "second"),
            check("other", finds(sound("well"))),
        ],
        limit_s=60,
    )
    assert [(each.outcome, each.text) for each in results[1:]] == [
        (CheckOutcome.SKIPPED, "Needs: first."),
        (CheckOutcome.SKIPPED, "Needs: second."),
        (CheckOutcome.OK, "well"),
    ]


async def test_what_needs_a_doubtful_check_is_made() -> None:
    results = await run_checks(
        [
            check("first", finds(doubtful("a cause", "a remedy"))),
            check("second", finds(sound("well")), "first"),
        ],
        limit_s=60,
    )
    assert [each.outcome for each in results] == [CheckOutcome.WARN, CheckOutcome.OK]


async def test_checks_are_made_side_by_side_and_told_of_as_they_end() -> None:
    met = asyncio.Barrier(2)

    async def meet() -> Finding:
        await met.wait()
        return sound("met")

    slow = asyncio.Event()
    told: list[str] = []

    async def last() -> Finding:
        await slow.wait()
        return sound("late")

    def hear(result: Result) -> None:
        told.append(result.name)
        if len(told) == 2:
            slow.set()

    checks = [check("late", last), check("a", meet), check("b", meet)]
    results = await run_checks(checks, limit_s=60, on_result=hear)
    assert [each.name for each in results] == ["late", "a", "b"]
    assert sorted(told[:2]) == ["a", "b"]
    assert told[2:] == ["late"]


async def test_each_check_has_a_request_id_of_its_own() -> None:
    seen: list[str | None] = []

    async def look() -> Finding:
        seen.append(context.correlation_id())
        return sound("seen")

    results = await run_checks([check("a", look), check("b", look)], limit_s=60)
    assert [each.request_id for each in results] == seen
    assert len(set(seen)) == 2


async def test_secrets_in_what_a_backend_says_are_masked() -> None:
    result = await only(raises(BackendError("refused", detail="key sk_live_abcdef is wrong")))
    assert "sk_live_abcdef" not in result.text
    assert "sk_live_***" in result.text


@pytest.mark.parametrize(
    ("finding", "lenient", "strict"),
    [
        (sound(""), True, True),
        (skipped(""), True, True),
        (doubtful("", ""), True, False),
        (broken("", ""), False, False),
    ],
)
async def test_warnings_count_as_failures_only_where_that_is_asked_for(
    finding: Finding, lenient: bool, strict: bool
) -> None:
    results = [await only(finds(finding))]
    assert is_sound(results, strict=False) is lenient
    assert is_sound(results, strict=True) is strict


@pytest.mark.parametrize(
    "value",
    [
        "changeme-changeme-changeme-changeme",
        "your-secret-with-thirty-two-characters",
        "<openssl rand -hex 32, thirty-two more>",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "REPLACE_ME_REPLACE_ME_REPLACE_ME_REPLACE",
    ],
)
def test_what_examples_hold_is_no_secret(value: str) -> None:
    environment = {**ENVIRONMENT, "CHECKOUT_LINK_SECRET": value, "CONNECT_SERVICE_URL": "http://p"}
    finding = secrets_are_real(load_settings(environment))
    assert finding.outcome is CheckOutcome.FAIL
    assert value not in finding.text


def test_several_signing_secrets_may_be_alike_nothing_but_each_other() -> None:
    environment = {**ENVIRONMENT, "STRIPE_WEBHOOK_SIGNING_SECRET": "whsec_1a,whsec_1b"}
    assert secrets_are_real(load_settings(environment)).outcome is CheckOutcome.OK
