"""Stores the progress of a run in a file, so that a later run can resume."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from msgspec import Struct

from stripe_connector.ops.reconcile.difference import DifferenceKind
from stripe_connector.ops.reconcile.span import Span

_FORMAT = 2
"""Changes with the order of the phases, too."""


class Asked(Struct, frozen=True):
    """The options of a run; only a run with the same options can resume."""

    project: str
    since: str
    until: str | None
    apply: bool
    events_only: bool
    abandoned_after: str


class Counts(Struct):
    """Counts so far."""

    looked_at: dict[str, int] = {}
    """Objects by phase."""
    found: dict[DifferenceKind, int] = {}
    """Differences by kind."""
    repaired: int = 0

    @property
    def differences(self) -> int:
        return sum(self.found.values())

    @property
    def remaining(self) -> int:
        return self.differences - self.repaired


class Checkpoint(Struct):
    """Everything before `cursor` in `phase`, and all phases before that, are done."""

    asked: Asked
    span: Span
    phase: str | None = None
    cursor: str | None = None
    counts: Counts = msgspec.field(default_factory=Counts)
    format: int = _FORMAT


class Unusable(Exception):
    """A checkpoint from which this run cannot resume."""


class CheckpointFile:
    """At most one checkpoint in a file; without a path, nothing is stored."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def load(self, asked: Asked) -> Checkpoint | None:
        """The checkpoint of an unfinished run with the same options; raises Unusable."""
        if self._path is None or not self._path.exists():
            return None
        try:
            found = msgspec.json.decode(self._path.read_bytes(), type=Checkpoint)
        except (OSError, msgspec.DecodeError) as error:
            raise Unusable(f"{self._path} is not a checkpoint: {error}") from error
        if found.format != _FORMAT or found.asked != asked:
            raise Unusable(
                f"{self._path} is of a run with other options, or of another project or version."
                " Finish that run with its own options, or delete the file."
            )
        return found

    def save(self, checkpoint: Checkpoint) -> None:
        """Replace the file atomically: a killed run leaves the old one or the new one."""
        if self._path is None:
            return
        unfinished = self._path.with_name(f"{self._path.name}.new")
        with unfinished.open("wb") as file:
            file.write(msgspec.json.encode(checkpoint))
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._path)

    def remove(self) -> None:
        """The run is complete."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
