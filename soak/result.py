"""The options of a run, and its results."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from soak.book import Book
from soak.burst import Burst
from soak.calls import Traffic
from soak.disturb import Disturbed
from soak.judge import Probe, Sample
from soak.plan import Pace


class Options(Struct, frozen=True):
    """The options of a run. Times in seconds."""

    seed: int
    pace: Pace
    shoppers: int
    seconds: float | None = None
    """None: until every disturbance has happened once."""
    think_s: float = 1.0
    """A shopper's pause between two steps, on average."""
    sample_s: float = 5.0


class Reconciled(Struct, frozen=True):
    """The result of one `reconcile --apply`."""

    exit_code: int
    found: dict[str, int]
    repaired: int
    remaining: int


class Watched(Struct, frozen=True):
    """One instance over the whole run."""

    port: int
    lives: int
    requests: int
    samples: list[Sample]
    idle: Sample | None


class Result(Struct, frozen=True):
    """Figures of a run. Moments in seconds of the monotonic clock."""

    options: Options
    machine: str
    began: datetime
    took_s: float
    book: Book
    traffic: Traffic
    happened: list[Disturbed]
    bursts: list[Burst]
    cuts: int
    """Requests that an instance accepted and did not answer; their callers repeated them."""
    shopper: list[Probe]
    merchant: list[Probe]
    watched: list[Watched]
    events: int
    acknowledged: int
    undelivered: int
    """Events that no instance has acknowledged, including lost ones."""
    differences_before: list[str]
    reconciled: list[Reconciled]
    verdict: dict[str, list[str]]
    """Violations, by the rule that they break."""

    @property
    def holds(self) -> bool:
        return not any(self.verdict.values())
