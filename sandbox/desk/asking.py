"""Calls to the processor in a person's name, each noted for them to see."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
from msgspec import Struct

from sandbox.desk.operations import Operation, Wish, answered, unanswered
from sandbox.desk.sessions import MadeCall, Session
from sandbox.desk.tokens import Identity
from sandbox.desk.wire import Json, Refused, Unreachable, Wire, named


class Report(Struct, frozen=True):
    """What the processor answered to a question of the Merchant Center."""

    status: int | None
    document: Json
    problem: str = ""


class Processor:
    """The processor's /operations, as Checkout and the Merchant Center use them."""

    def __init__(self, wire: Wire, clock: Callable[[], float] = time.time) -> None:
        self._wire = wire
        self._clock = clock

    async def carry_out(self, session: Session, wish: Wish) -> Operation:
        """Ask for an operation as Checkout does; its outcome is kept with the session."""
        try:
            answer = await self._send(
                session,
                session.checkout,
                "POST",
                f"/operations/payment-intents/{named(wish.payment_id)}",
                json=wish.body(),
                headers={"Idempotency-Key": wish.key},
            )
        except Unreachable as error:
            operation = unanswered(wish, f"{error}.")
        except Refused as refused:
            operation = unanswered(wish, f"No token for Checkout: {refused.message}")
        else:
            operation = answered(wish, answer)
        session.remember(operation)
        return operation

    async def report(self, session: Session, path: str) -> Report:
        """Ask a question as the Merchant Center does."""
        try:
            answer = await self._send(session, session.merchant_center, "GET", path)
            # an unavailable processor says so with 503 and a report
            document = answer.json() if answer.content else {}
        except Unreachable as error:
            return Report(None, {}, f"{error}.")
        except Refused as refused:
            return Report(refused.status, {}, f"No token: {refused.message}")
        except ValueError:
            return Report(answer.status_code, {}, "The answer is not JSON.")
        return Report(answer.status_code, document)

    async def _send(
        self, session: Session, identity: Identity, method: str, path: str, **options: Any
    ) -> httpx.Response:
        try:
            answer = await identity.send(self._wire, method, path, **options)
        except (Unreachable, Refused) as error:
            self._note(session, identity, f"{method} {path}", str(error))
            raise
        self._note(session, identity, f"{method} {path}", str(answer.status_code))
        return answer

    def _note(self, session: Session, identity: Identity, call: str, answer: str) -> None:
        who = f"{identity.name} ({identity.subject})"
        session.calls.append(MadeCall(self._clock(), who, call, answer))
