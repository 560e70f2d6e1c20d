"""Capture, refund, cancel, reverse: checks a request and plans its movements of money."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from stripe_connector import context
from stripe_connector.errors import Conflict, InvalidRequest, NotFound
from stripe_connector.gateways.stripe.gateway import Stripe
from stripe_connector.ledger.merge import AMOUNT_MISMATCH, ORDER_FAILED
from stripe_connector.ledger.operation import identity, operations
from stripe_connector.ledger.payment import Payment, Transaction, TransactionType
from stripe_connector.money import Money, to_stripe
from stripe_connector.payments.asked import (
    AmountTooHigh,
    AskedAmount,
    OtherCurrency,
    UnknownCharge,
)
from stripe_connector.payments.limits import (
    capturable,
    processing_amount,
    refundable,
    refundable_of,
    unanswered,
)
from stripe_connector.payments.movement import Mover
from stripe_connector.payments.movement_records import require_intent_id
from stripe_connector.payments.own_account import OwnAccount
from stripe_connector.payments.parts import Outcome, Part, Request
from stripe_connector.payments.record import Recorder

_REVERSAL = "reversePayment"
_LATE = ":late"
"""End of the identity of the part of a reversal that waits until the money has arrived."""


class Command(Struct, frozen=True, kw_only=True):
    """One change of a payment that is asked for."""

    merchant_reference: str | None = None


class CaptureCommand(Command, frozen=True, kw_only=True):
    amount: AskedAmount


class RefundCommand(Command, frozen=True, kw_only=True):
    amount: AskedAmount
    transaction_id: str | None = None
    """The Charge transaction that the refund belongs to."""


class CancelCommand(Command, frozen=True):
    pass


class ReverseCommand(Command, frozen=True):
    pass


AnyCommand = CaptureCommand | RefundCommand | CancelCommand | ReverseCommand


class Modifier:
    """Changes payments on behalf of Checkout, of a merchant's back office, and of our own rules."""

    def __init__(
        self,
        stripe: Stripe,
        recorder: Recorder,
        mover: Mover,
        account: OwnAccount,
        *,
        multiple_captures: bool,
        mismatch_action: Literal["hold", "reverse"],
        order_failed_action: Literal["hold", "reverse"],
    ) -> None:
        self._stripe = stripe
        self._recorder = recorder
        self._mover = mover
        self._account = account
        self._multiple_captures = multiple_captures
        self._actions = {AMOUNT_MISMATCH: mismatch_action, ORDER_FAILED: order_failed_action}
        """What our rules do, by the status code of a Payment."""

    async def modify(
        self, payment: Payment, command: AnyCommand, key: str | None = None
    ) -> Outcome:
        """Carry out one command; `key` is the caller's Idempotency-Key.

        Raises NotFound, InvalidRequest where it is impossible, Conflict while another capture is
        unfinished, BackendUnavailable where the outcome is not known yet: the caller repeats it.
        """
        await self._account.require_ours(payment)
        if not (await self._account.ours()).includes(payment):
            raise NotFound(f"The Resource with ID '{payment.id}' was not found.")
        if payment.interface_id is None and payment.session_id is not None:
            # The shopper may have been faster than the webhook.
            payment = await self._recorder.sync_checkout_session(payment, payment.session_id)
        context.note(intent=payment.interface_id)
        if payment.interface_id is None:
            if payment.session_id is None or isinstance(command, CaptureCommand | RefundCommand):
                raise InvalidRequest("This payment was never started at Stripe.")
            _, outcome = await self._mover.cancel_open(payment)
            return outcome
        match command:
            case CaptureCommand() | RefundCommand():
                return await self._move_amount(payment, command, key)
            case CancelCommand():
                return await self._cancel(payment, command, key)
            case ReverseCommand():
                return await self._reverse(payment, command, key)

    async def _move_amount(
        self, payment: Payment, command: CaptureCommand | RefundCommand, key: str | None
    ) -> Outcome:
        """Move one amount; before a refusal, bring the Payment up to date and try again."""
        amount = _checked(payment, command.amount)
        reference = command.merchant_reference
        charge_id = command.transaction_id if isinstance(command, RefundCommand) else None
        action = "refundPayment" if isinstance(command, RefundCommand) else "capturePayment"
        named = identity(key, action, amount.cent_amount, charge_id, reference)
        request = Request(named, action, reference)

        async def plan(current: Payment) -> Sequence[Part]:
            if isinstance(command, RefundCommand):
                return [_refund(current, amount, charge_id)]
            current = await self._without_capture(current)
            limit = capturable(current)
            if amount.cent_amount > limit:
                raise AmountTooHigh(amount.cent_amount, reason=_at_most(limit, "captured", current))
            final = amount.cent_amount == limit or not await self._more_captures(current)
            return [Part("Charge", amount, final=final)]

        for known in self._mover.find_existing(payment, request):
            if known.amount != amount:
                raise Conflict("This Idempotency-Key was used for another operation.")
        try:
            _, outcomes = await self._mover.move(payment, request, plan)
        except InvalidRequest:
            payment = await self._recorder.sync_intent(payment, require_intent_id(payment))
            _, outcomes = await self._mover.move(payment, request, plan)
        return _combined(outcomes)

    async def _cancel(self, payment: Payment, command: CancelCommand, key: str | None) -> Outcome:
        reference = command.merchant_reference
        request = Request(
            identity(key, "cancelPayment", merchant_reference=reference), "cancelPayment", reference
        )

        async def plan(current: Payment) -> Sequence[Part]:
            return _cancellation(await self._without_capture(current))

        if not self._mover.find_existing(payment, request):
            payment = await self._with_authorization(await self._without_capture(payment))
            if capturable(payment) <= 0:
                return await self._cancel_nothing(payment)
        _, outcomes = await self._mover.move(payment, request, plan)
        return _combined(outcomes)

    async def _cancel_nothing(self, payment: Payment) -> Outcome:
        """Cancel a payment that holds no money, so that it cannot be paid."""
        if payment.total("Charge", "Success") > 0:
            raise InvalidRequest("A captured payment cannot be cancelled, only refunded.")
        if payment.payment_status.interface_code == "canceled":
            return Outcome("approved")
        _, outcome = await self._mover.cancel_open(payment)
        return outcome

    async def _reverse(self, payment: Payment, command: ReverseCommand, key: str | None) -> Outcome:
        reference = command.merchant_reference
        request = Request(
            identity(key, _REVERSAL, merchant_reference=reference),
            _REVERSAL,
            reference,
            completing=True,
        )
        if self._mover.find_existing(payment, late := _late(request)):
            return await self._resume(payment, late)
        if not self._mover.find_existing(payment, request):
            payment = await self._with_authorization(await self._without_capture(payment))
            if not _reversible(payment):
                if _payable(payment):
                    _, outcome = await self._mover.cancel_open(payment)
                    return outcome
                raise InvalidRequest("There is no successful payment transaction to reverse.")
        return await self._move_back(payment, request)

    async def _move_back(self, payment: Payment, request: Request) -> Outcome:
        async def plan(current: Payment) -> Sequence[Part]:
            current = await self._without_capture(current)
            return [*_cancellation(current), *_full_refund(current), *_processing(current)]

        payment, outcomes = await self._mover.move(payment, request, plan)
        return await self.settle_reversal(payment) or _given_back(payment, _combined(outcomes))

    async def settle_reversal(self, payment: Payment) -> Outcome | None:
        """Carry out a reversal that had to wait for Stripe; None where none waits.

        The money has arrived: refund or release it. The attempt has failed: make sure that it
        cannot be paid again. The wait and the refund change in one write, so that no crash loses
        either.
        """
        if (begun := _begun(payment, _LATE)) is not None:
            return await self._resume(payment, begun)
        ours = operations(payment)
        waiting = next(
            (
                t
                for t in payment.of_type("CancelAuthorization")
                if t.state == "Pending" and t.id in ours and ours[t.id].action == _REVERSAL
            ),
            None,
        )
        if waiting is None or payment.total("Authorization", "Pending"):
            return None
        operation = ours[waiting.id]
        if not payment.total("Authorization", "Success"):
            _, outcome = await self._mover.cancel_open(payment)
            return outcome
        request = _late(Request(operation.identity, _REVERSAL, operation.merchant_reference))

        async def plan(current: Payment) -> Sequence[Part]:
            parts = [*_full_refund(current)]
            held = capturable(current) + waiting.amount.cent_amount
            if held > 0:
                parts.append(Part("CancelAuthorization", current.unit.with_amount(held)))
            return parts

        _, outcomes = await self._mover.move(payment, request, plan, replaces=waiting.id)
        return _combined(outcomes)

    async def _resume(self, payment: Payment, request: Request) -> Outcome:
        """Complete operations that are recorded already."""

        async def plan(_: Payment) -> Sequence[Part]:
            return []

        _, outcomes = await self._mover.move(payment, request, plan)
        return _combined(outcomes)

    async def after_record(self, payment: Payment) -> None:
        """Carry out what our own rules demand after a change; a repetition resumes it."""
        await self.settle_reversal(payment)
        for code, action in self._actions.items():
            if (begun := _begun(payment, code)) is not None:
                await self._resume(payment, begun)
                return
            marked = payment.payment_status.interface_code == code
            if marked and action == "reverse" and _reversible(payment):
                await self._move_back(payment, Request(code, _REVERSAL))
                return

    async def _with_authorization(self, payment: Payment) -> Payment:
        """The payment; brought up to date where no attempt that may succeed is recorded."""
        if payment.total("Authorization", "Pending", "Success"):
            return payment
        return await self._recorder.sync_intent(payment, require_intent_id(payment))

    async def _without_capture(self, payment: Payment) -> Payment:
        """The payment with no capture under way; one at a time, for only then does the amount
        received tell its outcome.

        Raises Conflict for a capture that may still be running. An abandoned one is closed, which
        makes a new version: a plan for the old one must be made again.
        """
        ours = operations(payment)
        for transaction in payment.of_type("Charge"):
            operation = ours.get(transaction.id)
            if not transaction.unfinished or (operation is None and transaction.state == "Initial"):
                continue
            if operation is not None and operation.unknown_since is not None:
                raise Conflict(
                    f"Stripe's answer is not known yet for the capture of"
                    f" {transaction.amount.cent_amount} (transaction {transaction.id}).",
                    fields={"transactionId": transaction.id},
                    retry_after=60,
                )
            if not self._mover.is_abandoned(transaction):
                raise Conflict("Another capture of this payment is unfinished.", retry_after=5)
            payment = await self._mover.sync_outcome(payment, transaction)
            payment = await self._mover.give_up(payment, transaction)
        return payment

    async def _more_captures(self, payment: Payment) -> bool:
        """Whether the card allows a later capture of the rest, and the merchant enabled that."""
        if not self._multiple_captures:
            return False
        charge = (await self._stripe.get_intent(require_intent_id(payment))).charge
        details = charge.payment_method_details if charge else None
        card = details.card if details else None
        return bool(card and card.multicapture and card.multicapture.status == "available")


def _checked(payment: Payment, amount: AskedAmount) -> Money:
    """The amount in the payment's currency, as Stripe can move it."""
    currency = payment.currency
    if amount.currency_code != currency:
        raise OtherCurrency(amount.currency_code, currency)
    money = payment.unit.with_amount(amount.cent_amount)
    to_stripe(money)
    return money


def _charge(payment: Payment, transaction_id: str) -> Transaction:
    for transaction in payment.of_type("Charge"):
        if transaction.id == transaction_id and transaction.state == "Success":
            return transaction
    raise UnknownCharge(transaction_id)


def _refund(payment: Payment, amount: Money, charge_id: str | None) -> Part:
    """A refund, of one charge where that is named; raises AmountTooHigh."""
    limit = refundable(payment)
    if charge_id is not None:
        limit = min(limit, refundable_of(payment, _charge(payment, charge_id)))
    if amount.cent_amount > limit:
        raise AmountTooHigh(amount.cent_amount, reason=_at_most(limit, "refunded", payment))
    return Part("Refund", amount, refund_of=charge_id)


def _cancellation(payment: Payment) -> list[Part]:
    held = capturable(payment)
    return [_part("CancelAuthorization", payment, held)] if held > 0 else []


def _full_refund(payment: Payment) -> list[Part]:
    rest = refundable(payment)
    return [_part("Refund", payment, rest)] if rest > 0 else []


def _processing(payment: Payment) -> list[Part]:
    arriving = processing_amount(payment)
    return [_part("CancelAuthorization", payment, arriving)] if arriving > 0 else []


def _part(type_: Literal["Refund", "CancelAuthorization"], payment: Payment, amount: int) -> Part:
    return Part(type_, payment.unit.with_amount(amount))


def _at_most(limit: int, done: str, payment: Payment) -> str:
    """Why no more is possible; names operations that still wait for Stripe's answer."""
    reason = f"At most {max(0, limit)} can be {done}."
    kinds: tuple[TransactionType, ...] = ("Refund",)
    if done == "captured":
        kinds = ("Charge", "CancelAuthorization")
    if waiting := unanswered(payment, *kinds):
        named = ", ".join(f"{t.amount.cent_amount} (transaction {t.id})" for t in waiting)
        reason += f" Stripe's answer is not known yet for {named}."
    return reason


def _late(request: Request) -> Request:
    return Request(f"{request.identity}{_LATE}", request.action, request.merchant_reference)


def _begun(payment: Payment, suffix: str) -> Request | None:
    """A request of our own rules that is recorded, but was not carried out."""
    for transaction_id, operation in operations(payment).items():
        if operation.identity.endswith(suffix):
            transaction = next(t for t in payment.transactions if t.id == transaction_id)
            if transaction.state == "Initial":
                return Request(operation.identity, operation.action, operation.merchant_reference)
    return None


def _reversible(payment: Payment) -> bool:
    return bool(_cancellation(payment) or _full_refund(payment) or _processing(payment))


def _payable(payment: Payment) -> bool:
    """Whether nothing was ever taken and the shopper could still pay."""
    taken = payment.total("Authorization", "Success")
    return not taken and payment.payment_status.interface_code != "canceled"


def _combined(outcomes: Sequence[Outcome]) -> Outcome:
    """Approved only if every part succeeded; rejected if one was refused, listing what succeeded.

    Received if any part is still running.
    """
    refused = [each for each in outcomes if each.outcome == "rejected"]
    waiting = [each for each in outcomes if each.outcome == "received"]
    if not refused:
        return waiting[0] if waiting else Outcome("approved")
    done = [_DONE[each.type or ""].format(each.amount) for each in outcomes if each not in refused]
    if not done:
        return refused[0]
    message = f"{refused[0].message or 'Stripe refused a part.'} {' '.join(done)}"
    return replace(refused[0], message=message)


def _given_back(payment: Payment, outcome: Outcome) -> Outcome:
    """The outcome of a reversal, which is not complete while another operation is open."""
    others = unanswered(payment, "Refund", "CancelAuthorization")
    if outcome.outcome == "approved" and (others or payment.total("Refund", "Pending")):
        return Outcome("received")
    return outcome


_DONE = {
    "Refund": "Refunded: {}.",
    "CancelAuthorization": "Released: {}.",
    "Charge": "Captured: {}.",
    "Authorization": "Authorized: {}.",
    "": "Done: {}.",
}
