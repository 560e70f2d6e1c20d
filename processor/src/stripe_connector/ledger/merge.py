"""Facts -> update actions of a Payment: the one place that decides what is recorded.

Webhooks, synchronous requests and reconciliation all use it. `merge` is pure, and applying its
actions and merging again yields nothing, which makes repetition harmless.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from stripe_connector.ledger.actions import (
    Action,
    ChangeAmountPlanned,
    SetInterfaceId,
    SetMethodInfoMethod,
    SetStatusInterfaceCode,
    SetStatusInterfaceText,
)
from stripe_connector.ledger.due import captured_by_us, raised_by_us
from stripe_connector.ledger.facts import (
    REFUND_ORDER,
    DisputeFact,
    ExpiredSessionFact,
    Fact,
    IntentFact,
    RefundFact,
    ReleaseFact,
)
from stripe_connector.ledger.operation import (
    RECEIVED,
    REMAINING,
    pretended,
    shown_fields,
)
from stripe_connector.ledger.payment import (
    UNFINISHED,
    Payment,
    Transaction,
    TransactionState,
)
from stripe_connector.ledger.proof import ERROR, ERROR_MESSAGE
from stripe_connector.ledger.revision import Revision, unnamed
from stripe_connector.money import Money, MoneyDraft

AMOUNT_MISMATCH = "amount_mismatch"
"""Status code of a Payment for which Stripe holds another amount than was planned."""

SUPERSEDED = "superseded"
"""Status code of a Payment whose payment page we have replaced; the shopper did not abandon it."""

ORDER_FAILED = "order_failed"
"""Status code of a Payment that holds money for a cart for which no order could be placed."""

_FINAL_STATUS = frozenset({"succeeded", "canceled"})


def merge(
    payment: Payment, facts: Iterable[Fact], at: str, *, planned: Money | None = None
) -> list[Action]:
    """Actions that bring the Payment up to the facts; none where it is already.

    `at` becomes the timestamp of the transactions that are added (ISO 8601, UTC). `planned` is
    what cart or order cost now, where that is known: Stripe's amount is compared with it.
    """
    if planned is not None and planned != payment.amount_planned:
        replanned = replace(payment, amount_planned=planned)
        return [ChangeAmountPlanned(planned.draft()), *merge(replanned, facts, at)]
    record = _Record(payment, at)
    for fact in facts:
        match fact:
            case IntentFact():
                record.intent(fact)
            case RefundFact():
                record.refund(fact)
            case ReleaseFact():
                record.release(fact)
            case DisputeFact():
                record.dispute(fact)
            case ExpiredSessionFact():
                record.expired_session(fact)
    return record.actions


class Snapshot(Enum):
    """How an event's snapshot of an intent may be used for a Payment."""

    TRUE = "true"
    OUTDATED = "outdated"
    UNKNOWN = "unknown"


def judge_snapshot(payment: Payment, fact: IntentFact) -> Snapshot:
    """Whether a snapshot can be merged, is outdated, or must be read anew.

    A failed or processing attempt is outdated once the intent was authorized.
    """
    if fact.settled:
        return Snapshot.TRUE
    authorized = any(
        t.state == "Success" for t in _authorizations(payment.transactions, fact.intent_id)
    )
    return Snapshot.OUTDATED if authorized and not fact.released else Snapshot.UNKNOWN


class _Record(Revision):
    """A Payment while facts are merged into it: what each kind of fact changes."""

    def intent(self, fact: IntentFact) -> None:
        if self.payment.interface_id not in (None, fact.intent_id):
            return  # another Payment's page: a shopper may name any page in an Initial transaction
        if self.payment.interface_id is None:
            self._set_once(SetInterfaceId(fact.intent_id))
        if fact.authorization is not None:
            for transaction in pretended(self.payment):
                self._change(transaction, "Failure")  # it must never be resumed
            self._authorization(fact, fact.authorization)
            self._parts(fact)
        else:
            # A shopper has left what was pending, such as a voucher, and tries another way.
            for transaction in _authorizations(self.transactions, fact.intent_id):
                if transaction.state == "Pending":
                    self._change(transaction, "Failure")
        if fact.authorization == "Success":
            self._captures(fact)
        if fact.released:
            self._release(fact)
        if fact.method is not None and fact.method != self.payment.payment_method_info.method:
            self._set_once(SetMethodInfoMethod(fact.method))
        self._status(fact)

    def _authorization(self, fact: IntentFact, state: TransactionState) -> None:
        """One Authorization for each amount that an intent was tried with.

        The approved amount only grows: an increment is an Authorization of its own, so that their
        sum is what the intent holds. A failed attempt is ignored once one was approved.
        """
        mine = _authorizations(self.transactions, fact.intent_id)
        amount = self._money(fact.authorized, fact.currency)
        held = sum(
            t.amount.cent_amount
            for t in mine
            if t.state == "Success" and t.amount.currency_code == fact.currency
        )
        if held and state != "Success":
            return
        missing = amount.with_amount(amount.cent_amount - held)
        current: Transaction | None = None
        for transaction in mine:
            if transaction.state == "Success":
                continue
            if _same(transaction.amount, missing) and current is None:
                current = transaction
            elif transaction.state in UNFINISHED:
                self._change(transaction, "Failure")  # the amount has changed since
        if missing.cent_amount <= 0:
            return
        if current is None:
            self._add("Authorization", missing, state, fact.intent_id, fact.intent_id)
        else:
            self._change(current, state, fact.intent_id, fact.intent_id)

    def _parts(self, fact: IntentFact) -> None:
        """Show what was received of a bank transfer in parts on its Authorization."""
        received = fact.captured if fact.authorization == "Success" else fact.funded
        for transaction in _authorizations(self.transactions, fact.intent_id):
            begun = transaction.custom is not None and RECEIVED in transaction.custom.fields
            if transaction.id and transaction.state != "Failure" and (fact.funded or begun):
                parts = {
                    RECEIVED: self._money(received, fact.currency).draft(),
                    REMAINING: self._money(fact.amount - received, fact.currency).draft(),
                }
                self._show(transaction, {name: _plain(part) for name, part in parts.items()})

    def _captures(self, fact: IntentFact) -> None:
        """Stripe has one cumulative amount: our captures first, the rest is one Charge."""
        captured = self._money(fact.captured, fact.currency)
        reference = fact.charge_id or fact.intent_id
        cumulative = self._sum(fact.currency, "Charge", "Success")
        for transaction in self._unfinished("Charge", reference):
            if cumulative + transaction.amount.cent_amount <= captured.cent_amount:
                cumulative += transaction.amount.cent_amount
                self._change(transaction, "Success", f"{reference}:{cumulative}", fact.charge_id)
        if captured.cent_amount > cumulative:
            excess = captured.with_amount(captured.cent_amount - cumulative)
            name = f"{reference}:{captured.cent_amount}"
            self._add("Charge", excess, "Success", name, fact.charge_id)

    def _release(self, fact: IntentFact) -> None:
        """The intent is final: what is open was released, what is unfinished cannot happen."""
        for transaction in self._unfinished("Charge"):
            self._change(transaction, "Failure")
        open_amount = 0
        if fact.authorization == "Success":
            open_amount = (
                self._sum(fact.currency, "Authorization", "Success")
                - self._sum(fact.currency, "Charge", "Success")
                - self._sum(fact.currency, "CancelAuthorization", "Success")
            )
        for transaction in self._unfinished("CancelAuthorization", fact.intent_id):
            if transaction.amount.cent_amount <= open_amount:
                open_amount -= transaction.amount.cent_amount
                self._change(transaction, "Success", fact.intent_id)
            elif transaction.state == "Initial" or fact.captured == 0:
                self._change(transaction, "Failure", fact.intent_id)
            # A Pending one is a reversal that waits for the money to refund it.
        if open_amount > 0:
            amount = self._money(fact.amount, fact.currency).with_amount(open_amount)
            self._add("CancelAuthorization", amount, "Success", fact.intent_id)

    def _status(self, fact: IntentFact) -> None:
        status = self.payment.payment_status
        code, text = fact.status, fact.text
        if code is None:
            return
        if fact.settled and not fact.released and self._is_over(fact.currency):
            return  # an older snapshot of an intent that is final
        amount = self._money(fact.amount, fact.currency)
        if (held := self._unexplained(fact)) is not None:
            code, text = AMOUNT_MISMATCH, f"Stripe holds {held}, planned were {self.planned}."
        elif fact.funded:
            received = self._money(fact.funded, fact.currency)
            left = self._money(fact.amount - fact.funded, fact.currency)
            text = f"{received} of {amount} have come by bank transfer, {left} remain."
        if _holds(fact) and status.interface_code == ORDER_FAILED:
            return  # until the order is placed, or the money has been returned
        if code != status.interface_code:
            self._set_once(SetStatusInterfaceCode(code))
        if text != status.interface_text:
            self._set_once(SetStatusInterfaceText(text))

    def _is_over(self, currency: str) -> bool:
        """Whether the transactions show that nothing more can be captured."""
        if self.payment.payment_status.interface_code in _FINAL_STATUS:
            return True
        authorized = self._sum(currency, "Authorization", "Success")
        captured = self._sum(currency, "Charge", "Success")
        done = captured + self._sum(currency, "CancelAuthorization", "Success")
        return 0 < authorized <= done

    def _unexplained(self, fact: IntentFact) -> Money | None:
        """What Stripe holds, where neither the plan nor operations of ours explain it.

        More, or less, than planned is expected only where we requested it: an authorization that we
        raised, a capture of ours above it or of a part. Captures made elsewhere are unexpected.
        """
        if not _holds(fact):
            return None
        authorized = self._money(fact.authorized, fact.currency)
        captured = self._money(fact.captured, fact.currency)
        if authorized.currency_code != self.planned.currency_code:
            return captured if captured.cent_amount else authorized
        record = replace(self.payment, amount_planned=self.planned, transactions=self.transactions)
        planned, ours = self.planned.cent_amount, captured_by_us(record)
        most = planned + raised_by_us(record)
        if captured.cent_amount > max(most, ours):
            return captured
        if fact.released and captured.cent_amount < planned and captured.cent_amount != ours:
            return captured
        if not planned <= authorized.cent_amount <= most:
            return authorized
        return None

    def refund(self, fact: RefundFact) -> None:
        """Find it by Stripe's id, else by the requesting transaction, never by amount alone."""
        amount = self._money(fact.amount, fact.currency)
        refunds = [t for t in self.transactions if t.type == "Refund"]
        known = next((t for t in refunds if t.interaction_id == fact.refund_id), None) or next(
            (
                t
                for t in refunds
                if t.id == fact.transaction_id
                and t.interaction_id is None
                and _same(t.amount, amount)
            ),
            None,
        )
        why = _why(fact)
        if known is None:
            custom = shown_fields(why) if why else UNSET
            self._add("Refund", amount, fact.state, fact.refund_id, fact.refund_id, custom)
            return
        if REFUND_ORDER[fact.state] > REFUND_ORDER[known.state] or known.interaction_id is None:
            self._change(known, fact.state, fact.refund_id, fact.refund_id)
        if why and known.id:
            self._show(known, why)

    def release(self, fact: ReleaseFact) -> None:
        """No refund: correct one that an earlier version of the connector recorded."""
        for transaction in self.transactions:
            named = transaction.interaction_id == fact.refund_id
            if fact.certain and named and transaction.type == "Refund":
                self._change(transaction, "Failure")

    def dispute(self, fact: DisputeFact) -> None:
        """Record the dispute's state, in any direction: also a won one may be reopened."""
        known = next(
            (
                t
                for t in self.transactions
                if t.type == "Chargeback" and t.interaction_id == fact.dispute_id
            ),
            None,
        )
        if known is None:
            amount = self._money(fact.amount, fact.currency)
            self._add("Chargeback", amount, fact.state, fact.dispute_id, fact.dispute_id)
        else:
            self._change(known, fact.state)

    def expired_session(self, fact: ExpiredSessionFact) -> None:
        """The page was not paid and cannot be paid any more."""
        for transaction in self._unfinished("Authorization"):
            if transaction.interaction_id == fact.session_id:
                self._change(transaction, "Failure")
                if self.payment.payment_status.interface_code == SUPERSEDED:
                    continue
                self._set_once(SetStatusInterfaceCode("expired"))
                self._set_once(SetStatusInterfaceText("The payment page has expired."))


def _authorizations(transactions: Iterable[Transaction], intent_id: str) -> list[Transaction]:
    """Authorizations of an intent, and the Initial one that was written before its id was known."""
    return [
        t
        for t in transactions
        if t.type == "Authorization"
        and (t.interaction_id == intent_id or (t.state == "Initial" and unnamed(t)))
    ]


def _holds(fact: IntentFact) -> bool:
    """Whether Stripe holds money, or a bank may bring it."""
    return fact.authorization in ("Pending", "Success") and fact.status != "canceled"


def _why(fact: RefundFact) -> dict[str, Any]:
    """Why a refund failed, for people."""
    if fact.failure is None or fact.state != "Failure":
        return {}
    return {ERROR: fact.failure, ERROR_MESSAGE: f"The refund failed: {fact.failure}."}


def _plain(money: MoneyDraft) -> dict[str, Any]:
    """Money as the value of a custom field."""
    return {"centAmount": money.cent_amount, "currencyCode": money.currency_code}


def _same(one: Money, other: Money) -> bool:
    return (one.cent_amount, one.currency_code) == (other.cent_amount, other.currency_code)
