"""Checks for payments that need attention: wrong amounts, unfinished operations."""

from __future__ import annotations

from datetime import timedelta

from stripe_connector.clock import Clock
from stripe_connector.errors import InvalidRequest
from stripe_connector.gateways.commercetools.administration import CommercetoolsAdministration
from stripe_connector.ledger.merge import AMOUNT_MISMATCH
from stripe_connector.ledger.operation import timestamp
from stripe_connector.ops.doctor.checks import Check, Finding, Peer, doubtful, skipped, sound
from stripe_connector.payments.stored.method_records import JOB_REFUSED

GROUP = "Payments"

_MOST = 100
_SHOWN = 5
_ABANDONED = timedelta(hours=25)
"""A payment page is open for a day at most, and Stripe reports its end soon after."""


class PaymentChecks:
    """A few cheap queries."""

    def __init__(self, commercetools: CommercetoolsAdministration, clock: Clock) -> None:
        self._commercetools = commercetools
        self._clock = clock

    def all(self) -> list[Check]:
        peer = Peer("commercetools", "Try again; https://status.commercetools.com shows outages.")
        needs = ("API host",)
        return [
            Check(GROUP, "Amounts", self.amounts, peer, needs),
            Check(GROUP, "Unfinished", self.unfinished, peer, needs),
            Check(GROUP, "Refused jobs", self.refused_jobs, peer, needs),
            Check(GROUP, "Failed jobs", self.failed_jobs, peer, ("Checkout host",)),
        ]

    async def amounts(self) -> Finding:
        found = await self._commercetools.list_payment_ids(
            f'paymentStatus(interfaceCode="{AMOUNT_MISMATCH}")', _MOST
        )
        if not found:
            return sound("no payment differs from its cart")
        return doubtful(
            f"{_counted(found)} took an amount that differs from the cart's.",
            "Check each in the Merchant Center and in Stripe's Dashboard: refund or reverse it,"
            " or accept the order. STRIPE_MISMATCH_ACTION=reverse reverses them automatically.",
        )

    async def unfinished(self) -> Finding:
        before = timestamp(self._clock.now() - _ABANDONED)
        found = await self._commercetools.list_payment_ids(
            f'transactions(state="Initial" and timestamp < "{before}")', _MOST
        )
        if not found:
            return sound("no operation older than a day is unfinished")
        return doubtful(
            f"{_counted(found)} have transactions that were begun over a day ago and never"
            " finished.",
            "Run stripe-connector reconcile --apply --since P30D (or longer): it records their"
            " outcome at Stripe.",
        )

    async def refused_jobs(self) -> Finding:
        """Payments that Checkout makes no recurring payments of."""
        try:
            found = await self._commercetools.list_payment_ids(
                f'interfaceInteractions(fields(type="{JOB_REFUSED}"))', _MOST
            )
        except InvalidRequest:
            # Whether every project takes this predicate is not published.
            return skipped("commercetools does not take the query; reconcile lists them.")
        without = [each for each in found if not await self._commercetools.has_job(each)]
        if not without:
            return sound("Checkout has a job for every payment that needs one")
        return doubtful(
            f"{_counted(without)} have no recurring payment job: Checkout refused it, and the"
            " orders to come are not paid.",
            "The Payment's interface interaction says why. Remove the cause and create the job with"
            " the Payment's id as its key.",
        )

    async def failed_jobs(self) -> Finding:
        found = await self._commercetools.list_failed_jobs(_MOST)
        if not found:
            return sound("no recurring payment job has failed")
        return doubtful(
            f"{_counted(found, 'recurring payment jobs')} have failed: the orders to come are not"
            " paid.",
            "The job's status says why. Set the payment method of the recurring order in Checkout.",
        )


def _counted(ids: list[str], what: str = "payments") -> str:
    number = f"{_MOST} or more" if len(ids) == _MOST else str(len(ids))
    return f"{number} {what} ({', '.join(ids[:_SHOWN])}{', ...' if ids[_SHOWN:] else ''})"
