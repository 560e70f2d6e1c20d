"""The forms of a payment's page: operations on money, and what a cardholder's bank does."""

from __future__ import annotations

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.desk import amounts
from sandbox.desk.asking import Processor
from sandbox.desk.backends import Backends
from sandbox.desk.guard import Guard
from sandbox.desk.operations import DONE, Action, Wish
from sandbox.desk.payments import Mistake, Payments
from sandbox.desk.sessions import Session
from sandbox.desk.wire import Refused

_WITH_AMOUNT = (Action.CAPTURE, Action.REFUND)
_LONGEST_KEY = 64
_DISPUTE_ENDS = ("won", "lost", "under_review")


class Changes:
    """Each form carries a key from when it was shown: sent twice, it is one operation."""

    def __init__(
        self, guard: Guard, payments: Payments, backends: Backends, asking: Processor
    ) -> None:
        self._guard = guard
        self._payments = payments
        self._backends = backends
        self._asking = asking

    def routes(self) -> list[Route]:
        form = self._guard.form
        return [
            Route("/payments/{id}/operations", form(self.operate), methods=["POST"]),
            Route("/payments/{id}/confirm", form(self.confirm), methods=["POST"]),
            Route("/payments/{id}/repeat", form(self.repeat), methods=["POST"]),
            Route("/payments/{id}/disputes", form(self.dispute), methods=["POST"]),
            Route("/payments/{id}/disputes/{dispute}", form(self.decide), methods=["POST"]),
        ]

    async def operate(self, request: Request, session: Session, fields: dict[str, str]) -> Response:
        """Capture, refund, cancel or reverse: asked for once it has been confirmed."""
        try:
            action = Action(fields.get("action", ""))
        except ValueError as error:
            raise HTTPException(HTTPStatus.BAD_REQUEST, "There is no such operation.") from error
        currency = fields.get("currency", "")
        cents, charge = None, fields.get("charge") or None
        if action in _WITH_AMOUNT:
            typed = fields.get("amount", "")
            try:
                cents = amounts.read(typed, currency)
            except ValueError as error:
                mistake = Mistake(action.value, str(error), typed)
                return await self._payments.page(request, session, mistake)
            most = (await self._payments.standing(request)).most(action, charge)
            if 0 < most < cents:
                can = f"At most {amounts.shown(most, currency)} can be {DONE[action].lower()} now."
                mistake = Mistake(action.value, can, typed)
                return await self._payments.page(request, session, mistake)
        wish = Wish(
            key=_key(fields),
            payment_id=request.path_params["id"],
            action=action,
            currency=currency,
            cents=cents,
            charge=charge,
        )
        session.propose(wish)
        return _back(request, f"?confirm={wish.key}")

    async def confirm(self, request: Request, session: Session, fields: dict[str, str]) -> Response:
        """Ask for what was confirmed; sent twice, it is one operation, by its key."""
        wish = session.proposal(_key(fields))
        if wish is None or wish.payment_id != request.path_params["id"]:
            raise HTTPException(
                HTTPStatus.NOT_FOUND, "This operation is no longer known. Look at the payment."
            )
        await self._asking.carry_out(session, wish)
        return _back(request, f"?operation={wish.key}")

    async def repeat(self, request: Request, session: Session, fields: dict[str, str]) -> Response:
        """The same operation under the same key: what happened already does not happen again."""
        operation = session.operation(_key(fields))
        if operation is None or operation.wish.payment_id != request.path_params["id"]:
            raise HTTPException(
                HTTPStatus.NOT_FOUND, "This operation is no longer known. Look at the payment."
            )
        await self._asking.carry_out(session, operation.wish)
        return _back(request, f"?operation={operation.key}")

    async def dispute(self, request: Request, session: Session, fields: dict[str, str]) -> Response:
        """A cardholder complains to the bank."""
        wanted: dict[str, object] = {"reason": fields.get("reason", "fraudulent")}
        if fields.get("inquiry"):
            wanted["status"] = "warning_needs_response"
        if typed := fields.get("amount", "").strip():
            try:
                wanted["amount"] = amounts.read(typed, fields.get("currency", ""))
            except ValueError as error:
                return await self._payments.page(
                    request, session, Mistake("dispute", str(error), typed)
                )
        if session.first_time(_key(fields)):
            try:
                await self._backends.stripe.dispute(fields.get("charge", ""), **wanted)
            except Refused as refused:
                mistake = Mistake("dispute", refused.message, typed)
                return await self._payments.page(request, session, mistake)
        return _back(request)

    async def decide(self, request: Request, _: Session, fields: dict[str, str]) -> Response:
        """The bank moves on with a dispute; doing so twice changes nothing."""
        status = fields.get("status", "")
        if status not in _DISPUTE_ENDS:
            raise HTTPException(HTTPStatus.BAD_REQUEST, "A dispute cannot end like that.")
        await self._backends.stripe.move_dispute(request.path_params["dispute"], status)
        return _back(request)


def _key(fields: dict[str, str]) -> str:
    key = fields.get("key", "")
    if not 0 < len(key) <= _LONGEST_KEY or not key.isascii():
        raise HTTPException(HTTPStatus.BAD_REQUEST, "This form lacks its key. Load the page again.")
    return key


def _back(request: Request, query: str = "") -> Response:
    """To the page of the payment, which a reload only reads again."""
    return RedirectResponse(
        f"/desk/payments/{request.path_params['id']}{query}", HTTPStatus.SEE_OTHER
    )
