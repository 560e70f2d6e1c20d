"""The ledger's promises while a rollout runs version 0.1.0 beside today's.

`ROLLOUT_EXAMPLES` sets the number of schedules; `make test-long` runs ten thousand.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Any

from stripe_connector.ops.reconcile.difference import DifferenceKind
from tests.behaviour.reconciling import Result, reconcile
from tests.property import oracle
from tests.property.machine import bounded
from tests.property.test_ledger_machine import STEPS, LedgerMachine
from tests.upgrade.previous import create_previous

MORE = (DifferenceKind.UNKNOWN_TRANSACTION, DifferenceKind.SURPLUS_AMOUNT)
"""What a run of reconcile says of more than there is at Stripe."""

LEAST = 600
"""Less than what a cart costs, and more than an overcapture adds."""

EXAMPLES = int(os.environ.get("ROLLOUT_EXAMPLES", "36"))


class RolloutMachine(LedgerMachine):
    """The second instance is of version 0.1.0, which what Stripe did not do to it yet would break.

    Today's instances meet all of that in the other machines.
    """

    second = staticmethod(create_previous)
    unkind = False

    def agrees(self) -> None:
        """What was captured and refunded is right, whatever version 0.1.0 recorded as authorized.

        Of a raised authorization it recorded the whole amount once more: a run of reconcile lists
        it. Of an overcapture that it saw before the authorization, it recorded what was taken as
        authorized, which is never asked for again.
        """
        self.everything_is_delivered()
        twice = set(filter(self._has_a_whole_amount_more, self._listed(MORE)))
        oracle.check(self.world, surplus=twice | self._taken_as_authorized())

    def told(self) -> set[str]:
        """Events that version 0.1.0 has acknowledged are not told to today's."""
        return self._listed((*MORE, DifferenceKind.AMOUNT_MISMATCH))

    def _listed(self, kinds: Collection[DifferenceKind]) -> set[str]:
        """Payments of raised amounts of which a run says one of these."""
        if not self.raised:
            return set()
        told: Result = self.run(reconcile(self.world, since="P60D"))
        raised = {line["payment"] for line in told.lines if line.get("intent") in self.raised}
        return {
            line["payment"]
            for line in told.lines
            if line.get("payment") in raised and line["kind"] in kinds
        }

    def _has_a_whole_amount_more(self, payment_id: str) -> bool:
        """Whether version 0.1.0 may have written it, perhaps from an outdated event: today's writes
        what was approved more, which is less, or nothing."""
        payment = self.world.store.collection("payment").get(payment_id) or {}
        _, *more = [
            each["amount"]["centAmount"]
            for each in payment["transactions"]
            if (each["type"], each["state"]) == ("Authorization", "Success")
        ] or [0]
        return any(amount >= LEAST for amount in more)

    def _taken_as_authorized(self) -> set[str]:
        """Payments whose one authorization is all that an overcapture took.

        Today's version would have written the intent's id on it, as its `interfaceId`.
        """
        found = set()
        stripe = self.world.stripe
        for payment in self.world.store.collection("payment"):
            if payment.get("interfaceId") not in self.raised:
                continue
            intent = stripe.intents[payment["interfaceId"]]
            authorized = [
                each
                for each in payment["transactions"]
                if each["type"] == "Authorization" and each["state"] == "Success"
            ]
            approved = oracle.approved(intent, stripe.charges[intent["latest_charge"]])
            match authorized:
                case [{"amount": {"centAmount": taken}, **only}] if "interfaceId" not in only:
                    if approved < taken == intent["amount_received"]:
                        found.add(payment["id"])
        return found


RolloutMachine.TestCase.settings = bounded(EXAMPLES, STEPS)
TestRollout: type[Any] = RolloutMachine.TestCase
