"""Runs `stripe-connector reconcile --apply` as an operator does."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from soak.result import Reconciled

_RATE = 200
"""Calls per second: nothing else uses the backends any more."""


class _Summary(Struct, frozen=True):
    found: dict[str, int]
    repaired: int
    remaining: int


class _Last(Struct, frozen=True):
    """The last line of `--json`."""

    summary: _Summary


async def reconcile(environment: Mapping[str, str], minutes: int, log: Path) -> Reconciled:
    """Repair what differs in the last `minutes`; what was found is written to `log`."""
    options = ["--apply", "--json", "--rate", str(_RATE), "--since", f"PT{minutes}M"]
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "stripe_connector",
            "reconcile",
            *options,
            env=environment,
            stdout=output,
            stderr=output,
        )
        code = await process.wait()
    return _read(code, log)


def _read(code: int, log: Path) -> Reconciled:
    last = log.read_bytes().rstrip().rpartition(b"\n")[2]
    try:
        summary = msgspec.json.decode(last, type=_Last).summary
    except msgspec.DecodeError:
        summary = _Summary({}, 0, 0)  # it ended without a summary: the exit code says why
    return Reconciled(code, summary.found, summary.repaired, summary.remaining)
