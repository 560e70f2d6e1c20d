"""Which faults happen, when and for how long: computed from a seed beforehand. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from msgspec import Struct

Json: TypeAlias = dict[str, Any]
Span: TypeAlias = tuple[float, float]
"""Shortest and longest, in seconds."""

TOLERANCE_S = 300.0
"""How far a webhook's signature may be from the clock of the processor that checks it."""
CALLERS = 3000
INSTANCES = 2

_REFUNDS, _CAPTURES = "/v1/refunds", "/v1/payment_intents/*/capture"
_PATHS = {
    "stripe": ("/v1/*", "/v1/payment_intents*", _REFUNDS, _CAPTURES),
    "commercetools": ("*", "*/payments*", "*/carts*", "*/orders*", "/oauth/*"),
}
_HTTP = ("delay", "fail_before", "fail_after", "drop_before", "drop_after")
_WEBHOOKS = ("lose", "repeat", "reorder", "hold")
_STATUSES = (500, 502, 503, 504)


class Pace(Struct, frozen=True):
    """How long things last."""

    fault: Span
    brown_out: Span
    gap: Span
    """Between two faults of the backends."""
    rest: Span
    """Between two faults of the instances."""
    callers: int = CALLERS
    """In a burst."""


STEADY = Pace(fault=(0.5, 4), brown_out=(10, 20), gap=(0.5, 6), rest=(10, 30))
QUICK = Pace(fault=(0.2, 0.5), brown_out=(1, 1.5), gap=(0.05, 0.1), rest=(1, 1.5), callers=600)


class Disturbance(Struct, frozen=True):
    """One fault."""

    kind: str
    pause: float
    """Seconds without faults before it."""
    lasts: float = 0.0
    """Seconds until it is removed; 0 for a momentary fault."""
    rule: Json | None = None
    """The rule for the fault desk, or for Stripe's internal errors."""
    seconds: float = 0.0
    """How wrong the stand-ins' clock is."""
    instance: int = 0
    callers: int = 0


class Plan(Struct, frozen=True):
    """Two lanes, each with one fault at a time: both instances are never down at once."""

    backends: list[Disturbance]
    instances: list[Disturbance]


def plan(seed: int, pace: Pace, seconds: float | None = None) -> Plan:
    """Every kind of fault in random order, repeated for `seconds`; without it each once."""
    return Plan(
        _lane(random.Random(f"{seed} backends"), pace, pace.gap, _BACKENDS, seconds),
        _lane(random.Random(f"{seed} instances"), pace, pace.rest, _ON_INSTANCES, seconds),
    )


Maker: TypeAlias = Callable[[random.Random, Pace, float], Disturbance]


def _lane(
    dice: random.Random, pace: Pace, gap: Span, makers: list[Maker], seconds: float | None
) -> list[Disturbance]:
    lane: list[Disturbance] = []
    for made in _made(dice, pace, gap, makers):
        enough = len(lane) == len(makers) if seconds is None else _length(lane) >= seconds
        if enough:
            break
        lane.append(made)
    return lane


def _made(dice: random.Random, pace: Pace, gap: Span, makers: list[Maker]) -> Iterator[Disturbance]:
    while True:
        for maker in dice.sample(makers, len(makers)):
            yield maker(dice, pace, dice.uniform(*gap))


def _length(lane: list[Disturbance]) -> float:
    return sum(each.pause + each.lasts for each in lane)


def _http_fault(backend: str, kind: str) -> Maker:
    def make(dice: random.Random, pace: Pace, pause: float) -> Disturbance:
        rule = {
            "backend": backend,
            "kind": kind,
            "path": dice.choice(_PATHS[backend]),
            "times": dice.randint(1, 8),
            "skip": dice.randint(0, 3),
            "status": dice.choice(_STATUSES),
            "seconds": dice.uniform(0.2, 2.0) if kind == "delay" else 0.0,
        }
        return Disturbance(f"{backend}: {kind}", pause, dice.uniform(*pace.fault), rule)

    return make


def _webhook_fault(kind: str) -> Maker:
    def make(dice: random.Random, pace: Pace, pause: float) -> Disturbance:
        rule = {"backend": "webhooks", "kind": kind, "times": dice.randint(1, 6)}
        return Disturbance(f"webhooks: {kind}", pause, dice.uniform(*pace.fault), rule)

    return make


def _brown_out(backend: str, kind: str) -> Maker:
    def make(dice: random.Random, pace: Pace, pause: float) -> Disturbance:
        slow = {"kind": "delay", "seconds": dice.uniform(1, 3)}
        mute = {"kind": "fail_before", "status": 503}
        rule = {"backend": backend, "times": None, **(slow if kind == "slow" else mute)}
        name = f"brown-out, {backend} {kind}"
        return Disturbance(name, pause, dice.uniform(*pace.brown_out), rule)

    return make


_STORED = {
    "after": "Stripe: stored 500 after the effect",
    "later": "Stripe: stored 500, completed later",
    "hold": "Stripe: a key in use",
}
"""A stored 500 that is never completed keeps a refund waiting for a day, longer than any soak."""


def _stored_error(when: str) -> Maker:
    def make(dice: random.Random, pace: Pace, pause: float) -> Disturbance:
        rule: Json = {
            "path": dice.choice((_REFUNDS, _CAPTURES, "/v1/payment_intents")),
            "when": when,
        }
        if when != "hold":
            rule["times"] = dice.randint(1, 3)
        if when == "later":
            rule["seconds"] = dice.uniform(1, 5)
        name = _STORED[when]
        return Disturbance(name, pause, dice.uniform(*pace.fault), rule)

    return make


def _skew(name: str, low: float, high: float) -> Maker:
    def make(dice: random.Random, pace: Pace, pause: float) -> Disturbance:
        seconds = dice.choice((-1, 1)) * dice.uniform(low, high)
        return Disturbance(name, pause, 2 * dice.uniform(*pace.fault), seconds=seconds)

    return make


def _moment(kind: str) -> Maker:
    return lambda _dice, _pace, pause: Disturbance(kind, pause)


def _on_instance(kind: str) -> Maker:
    def make(dice: random.Random, pace: Pace, pause: float) -> Disturbance:
        callers = pace.callers if kind == BURST else 0
        return Disturbance(kind, pause, instance=dice.randrange(INSTANCES), callers=callers)

    return make


REVOKE, ROTATE = "tokens revoked", "signing key rotated"
SKEW_WITHIN, SKEW_BEYOND = "clocks differ within tolerance", "clocks differ beyond tolerance"
SIGTERM, SIGKILL, UPGRADE, BURST = "SIGTERM", "SIGKILL", "upgrade of both, in turn", "burst"

_BACKENDS: list[Maker] = [
    *(_http_fault(backend, kind) for backend in _PATHS for kind in _HTTP),
    *(_webhook_fault(kind) for kind in _WEBHOOKS),
    *(_brown_out(backend, kind) for backend in _PATHS for kind in ("slow", "503")),
    *(_stored_error(when) for when in _STORED),
    _skew(SKEW_WITHIN, 60, 0.8 * TOLERANCE_S),
    _skew(SKEW_BEYOND, 1.2 * TOLERANCE_S, 2 * TOLERANCE_S),
    _moment(REVOKE),
    _moment(ROTATE),
]
_ON_INSTANCES: list[Maker] = [_on_instance(kind) for kind in (SIGTERM, SIGKILL, UPGRADE, BURST)]
