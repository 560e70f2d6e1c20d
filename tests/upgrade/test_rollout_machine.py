"""The ledger's promises while a rollout runs version 0.1.0 beside today's.

`ROLLOUT_EXAMPLES` sets the number of schedules; `make test-long` runs ten thousand.
"""

from __future__ import annotations

import os
from typing import Any

from tests.property.machine import bounded
from tests.property.test_ledger_machine import STEPS, LedgerMachine
from tests.upgrade.previous import create_previous

EXAMPLES = int(os.environ.get("ROLLOUT_EXAMPLES", "40"))


class RolloutMachine(LedgerMachine):
    """The second instance is of version 0.1.0, which what Stripe did not do to it yet would break.

    Today's instances meet all of that in the other machines.
    """

    second = staticmethod(create_previous)
    unkind = False


RolloutMachine.TestCase.settings = bounded(EXAMPLES, STEPS)
TestRollout: type[Any] = RolloutMachine.TestCase
