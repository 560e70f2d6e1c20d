"""The ledger's promises while a rollout runs version 0.1.0 beside today's.

`ROLLOUT_EXAMPLES` sets the number of schedules; `make test-long` runs ten thousand.
"""

from __future__ import annotations

import os
from typing import Any

from stripe_connector.ops.reconcile.difference import DifferenceKind
from tests.behaviour.reconciling import Result, reconcile
from tests.property import oracle
from tests.property.machine import bounded
from tests.property.test_ledger_machine import STEPS, LedgerMachine
from tests.upgrade.previous import create_previous

MORE = (DifferenceKind.UNKNOWN_TRANSACTION, DifferenceKind.SURPLUS_AMOUNT)
"""What a run of reconcile says of more than there is at Stripe."""

EXAMPLES = int(os.environ.get("ROLLOUT_EXAMPLES", "36"))


class RolloutMachine(LedgerMachine):
    """The second instance is of version 0.1.0, which what Stripe did not do to it yet would break.

    Today's instances meet all of that in the other machines.
    """

    second = staticmethod(create_previous)
    unkind = False

    def agrees(self) -> None:
        """Of a raised authorization version 0.1.0 recorded the whole amount once more: what was
        captured and refunded is right all the same, and a run of reconcile lists it."""
        self.everything_is_delivered()
        oracle.check(self.world, surplus=self.listed())

    def listed(self) -> set[str]:
        """Payments of raised amounts of which a run says that more is recorded than there is."""
        if not self.raised:
            return set()
        told: Result = self.run(reconcile(self.world, since="P60D"))
        raised = {line["payment"] for line in told.lines if line.get("intent") in self.raised}
        return {
            line["payment"]
            for line in told.lines
            if line.get("payment") in raised and line["kind"] in MORE
        }


RolloutMachine.TestCase.settings = bounded(EXAMPLES, STEPS)
TestRollout: type[Any] = RolloutMachine.TestCase
