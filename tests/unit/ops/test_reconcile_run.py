"""Order, pace and memory of a run, apart from what it compares."""

from __future__ import annotations

import asyncio
import io
import os
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec
import pytest

from bench.reconcile import measure
from stripe_connector.concurrency import Pace
from stripe_connector.errors import BackendUnavailable
from stripe_connector.gateways.outgoing import ONCE, REPEATABLE, Retry
from stripe_connector.gateways.paced import PacedOutgoing, WriteRefused
from stripe_connector.gateways.stripe.sdk import RETRY
from stripe_connector.ops.reconcile.checkpoint import (
    Asked,
    Checkpoint,
    CheckpointFile,
    Counts,
    Unusable,
)
from stripe_connector.ops.reconcile.compared import Compared
from stripe_connector.ops.reconcile.difference import (
    FOR_A_PERSON,
    REPAIRS,
    Difference,
    DifferenceKind,
)
from stripe_connector.ops.reconcile.findings import Findings
from stripe_connector.ops.reconcile.outage import through_outage
from stripe_connector.ops.reconcile.report import ROWS, Bar, TableReport
from stripe_connector.ops.reconcile.run import Interrupted, in_order
from stripe_connector.ops.reconcile.span import span
from tests.fakes import FakeClock

PAYMENTS = int(os.environ.get("RECONCILE_PAYMENTS", "10000"))
ASKED = Asked("shop", "P1D", None, False, False, "P1D")
SPAN = span("P1D", None, datetime(2026, 9, 21, 12, tzinfo=UTC))


def outgoing(clock: FakeClock, *, may_write: bool, per_second: float = 10) -> PacedOutgoing:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={}))
    client = httpx.AsyncClient(transport=transport)
    return PacedOutgoing(client, clock, Pace(clock, per_second), may_write=may_write)


async def test_calls_are_spread_evenly() -> None:
    clock = FakeClock()
    paced = outgoing(clock, may_write=False)
    start = clock.time()
    for _ in range(21):
        await paced.send("GET", "http://backend.test/", backend="it", retry=REPEATABLE)
    assert clock.time() - start == pytest.approx(2.0)


async def test_an_idle_while_saves_no_calls_up() -> None:
    clock = FakeClock()
    pace = Pace(clock, 10)
    await pace.turn()
    clock.advance(60)
    for _ in range(3):
        await pace.turn()
    assert clock.slept == pytest.approx([0.1, 0.1])


@pytest.mark.parametrize(("method", "retry"), [("POST", ONCE), ("POST", RETRY), ("DELETE", ONCE)])
async def test_writes_are_refused_unless_they_are_allowed(method: str, retry: Retry) -> None:
    clock = FakeClock()
    with pytest.raises(WriteRefused):
        await outgoing(clock, may_write=False).send(
            method, "http://backend.test/", backend="it", retry=retry
        )
    answer = await outgoing(clock, may_write=True).send(
        method, "http://backend.test/", backend="it", retry=retry
    )
    assert answer.status_code == 200


async def test_patience_lasts_as_long_as_a_backend_asks_for() -> None:
    clock = FakeClock()
    answers = iter([40, None, None])

    async def work() -> str:
        for wait in answers:
            raise BackendUnavailable("busy", retry_after=wait)
        return "done"

    assert await through_outage(clock, work) == "done"
    assert clock.slept == [40, 2, 5]


async def test_patience_ends() -> None:
    clock = FakeClock()

    async def work() -> None:
        raise BackendUnavailable("down", retry_after=100_000)

    with pytest.raises(BackendUnavailable):
        await through_outage(clock, work)
    assert sum(clock.slept) == 600


async def test_so_many_at_once_and_no_more() -> None:
    busy = most = 0

    async def work(_: int) -> None:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(0)
        busy -= 1

    done = await in_order(range(20), work, at_once=3, stop=asyncio.Event())
    assert (done, most, busy) == (20, 3, 0)


async def test_what_is_begun_is_finished_when_one_fails() -> None:
    finished = []

    async def work(number: int) -> None:
        if number == 4:
            raise BackendUnavailable("down")
        for _ in range(3):
            await asyncio.sleep(0)
        finished.append(number)

    with pytest.raises(Interrupted) as interrupted:
        await in_order(range(20), work, at_once=3, stop=asyncio.Event())
    assert interrupted.value.done == 4
    assert finished[:4] == [0, 1, 2, 3]
    assert len(finished) < 8


def test_a_checkpoint_survives_a_death_in_the_middle_of_writing(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.json"
    file = CheckpointFile(path)
    kept = Checkpoint(ASKED, SPAN, "intents", "pi_1", Counts({"intents": 1}, {}, 0))
    file.save(kept)
    path.with_name("checkpoint.json.new").write_bytes(b'{"half')
    assert file.load(ASKED) == kept
    file.remove()
    assert file.load(ASKED) is None


def test_without_a_file_nothing_is_kept() -> None:
    file = CheckpointFile(None)
    file.save(Checkpoint(ASKED, SPAN))
    file.remove()
    assert file.load(ASKED) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        msgspec.json.encode(Checkpoint(ASKED, SPAN, format=1)),
        msgspec.json.encode(Checkpoint(Asked("other", "P1D", None, False, False, "P1D"), SPAN)),
    ],
)
def test_checkpoints_that_nobody_can_go_on_from(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "checkpoint.json"
    path.write_bytes(content)
    with pytest.raises(Unusable):
        CheckpointFile(path).load(ASKED)


def test_every_kind_of_difference_has_one_remedy() -> None:
    assert set(REPAIRS) | set(FOR_A_PERSON) == set(DifferenceKind)
    assert not set(REPAIRS) & set(FOR_A_PERSON)


def table(found: int, width: int = 200) -> str:
    out, counts = io.StringIO(), Counts()
    report = TableReport(SPAN, out, Bar(io.StringIO()), width=width)
    findings = Findings(counts, report)
    for number in range(found):
        difference = Difference(
            DifferenceKind.MISSING_TRANSACTION,
            f"payment-{number}",
            "pi_1",
            f"A-{number}",
            type="Charge",
            amount=1000,
            currency="EUR",
            stripe="Success",
        )
        assert findings.found(difference)
        assert not findings.found(difference)
        findings.settled(difference, repaired=number == 0)
    report.end(counts, complete=True)
    return out.getvalue()


def test_the_table_says_what_became_of_each() -> None:
    said = table(2)
    assert "missing transaction" in said
    assert "10.00 EUR" in said
    assert "pi_1" in said
    assert "A-1" in said
    assert "repaired: add the transaction" in said
    assert "remains: add the transaction" in said
    assert "2 differences, 1 repaired, 1 remain." in said


@pytest.mark.parametrize("width", [40, 80, 119])
def test_a_narrow_terminal_gets_a_block_for_each_difference(width: int) -> None:
    lines = table(2, width).splitlines()
    assert lines[:8] == [
        "missing transaction",
        "  payment: payment-0",
        "  intent: pi_1",
        "  order: A-0",
        "  what: Charge",
        "  amount: 10.00 EUR",
        "  at Stripe: Success",
        "  repaired: add the transaction",
    ]
    assert lines[9] == "  payment: payment-1"


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [(1_234_567, "EUR", "12,345.67 EUR"), (500, "JPY", "500 JPY"), (1_005, "KWD", "1.005 KWD")],
)
def test_amounts_are_in_major_units(amount: int, currency: str, said: str) -> None:
    out, counts = io.StringIO(), Counts()
    report = TableReport(SPAN, out, Bar(io.StringIO()), width=60)
    kind = DifferenceKind.ORPHAN_INTENT
    Findings(counts, report).found(Difference(kind, intent="pi", amount=amount, currency=currency))
    report.end(counts, complete=True)
    assert f"  amount: {said}\n" in out.getvalue()


def test_the_table_is_bounded_and_says_so() -> None:
    said = table(ROWS + 5)
    assert f"{ROWS} of {ROWS + 5} shown" in said
    assert f"payment-{ROWS}" not in said


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_shown_on_a_terminal_alone(
    terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    err = Terminal() if terminal else io.StringIO()
    report = TableReport(SPAN, io.StringIO(), Bar(err), width=100)
    report.progress("payments", 0.5, 12_345)
    report.progress("intents", 0.1, 100)
    report.end(Counts(), complete=False)
    assert ("intents" in err.getvalue()) is terminal
    assert bool(err.getvalue()) is terminal


async def test_memory_does_not_grow_with_the_number_of_payments() -> None:
    """After the first five thousand, with whose calls Python's own caches are full, less than a
    block for ten more payments."""
    figures = await measure(PAYMENTS, early=5_000)
    assert figures.found == -(-PAYMENTS // 1_000)
    assert figures.late_blocks - figures.early_blocks < (PAYMENTS - 5_000) / 10


def test_what_was_compared_is_remembered_within_bounds() -> None:
    compared = Compared(slots=64)
    ids = [f"payment-{number}" for number in range(1_000)]
    for each in ids:
        compared.add(each)
        assert each in compared
    assert 0 < sum(each in compared for each in ids) <= 64
    assert "another" not in compared


async def test_refusals_for_too_many_requests_change_no_result_and_take_a_call_each() -> None:
    undisturbed = await measure(1_000, clock=FakeClock())
    busy = await measure(1_000, busy_every=7, clock=FakeClock())

    assert undisturbed.calls <= 100
    assert busy.refused > 10
    assert busy.found == undisturbed.found == 1
    assert busy.calls == undisturbed.calls + busy.refused
