"""The back office: captures, refunds, cancellations, and what happens in Stripe's Dashboard."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from soak.book import Book, Operation, Purchase
from soak.calls import Calls, Trouble


class BackOffice:
    """Sends each operation with a key, and repeats it with that key until a definite answer."""

    def __init__(self, calls: Calls, book: Book, dice: random.Random, think_s: float) -> None:
        self._calls = calls
        self._book = book
        self._dice = dice
        self._think_s = think_s

    async def attend(self, purchase: Purchase, intent_id: str, *, manual: bool) -> None:
        """Change a payment or, most of the time, leave it unchanged."""
        deeds: dict[Callable[[Purchase, str], Awaitable[None]], int] = (
            {
                self._capture: 3,
                self._capture_part: 3,
                self._capture_and_refund: 3,
                self._cancel: 2,
                self._reverse: 1,
                self._nothing: 1,
            }
            if manual
            else {
                self._refund_parts: 4,
                self._reverse: 2,
                self._refund_in_dashboard: 2,
                self._dispute: 1,
                self._nothing: 3,
            }
        )
        deed = self._dice.choices([*deeds], [*deeds.values()])[0]
        await deed(purchase, intent_id)

    async def _nothing(self, _purchase: Purchase, _intent_id: str) -> None:
        """Most payments are left unchanged."""

    async def _capture(self, purchase: Purchase, _: str) -> None:
        await self._operate(purchase, "capturePayment", purchase.cents)

    async def _capture_part(self, purchase: Purchase, _: str) -> None:
        part = self._dice.randint(1, purchase.cents - 1)
        await self._operate(purchase, "capturePayment", part)

    async def _capture_and_refund(self, purchase: Purchase, intent_id: str) -> None:
        await self._capture_part(purchase, intent_id)
        await self._refund_parts(purchase, intent_id)

    async def _cancel(self, purchase: Purchase, _: str) -> None:
        await self._operate(purchase, "cancelPayment")

    async def _reverse(self, purchase: Purchase, _: str) -> None:
        await self._operate(purchase, "reversePayment")

    async def _refund_parts(self, purchase: Purchase, _: str) -> None:
        """One or two equal parts: two of them are two refunds."""
        part = max(1, purchase.captured // self._dice.randint(3, 9))
        for _each in range(self._dice.randint(1, 2)):
            if purchase.refunded + part <= purchase.captured:
                await self._operate(purchase, "refundPayment", part)

    async def _refund_in_dashboard(self, purchase: Purchase, intent_id: str) -> None:
        self._book.count("refund in Stripe's Dashboard")
        part = self._dice.randint(1, purchase.captured)
        await self._calls.dashboard("/v1/refunds", payment_intent=intent_id, amount=part)

    async def _dispute(self, _purchase: Purchase, intent_id: str) -> None:
        self._book.count("dispute")
        intent = await self._calls.stripe("GET", f"/v1/payment_intents/{intent_id}")
        charge = intent["latest_charge"]
        opened = await self._calls.sandbox(
            "POST", f"stripe/charges/{charge}/dispute", {"reason": "fraudulent"}
        )
        await asyncio.sleep(self._dice.uniform(0, self._think_s))
        status = self._dice.choice(("under_review", "won", "lost"))
        await self._calls.sandbox("POST", f"stripe/disputes/{opened['id']}", {"status": status})

    async def _operate(self, purchase: Purchase, action: str, cents: int | None = None) -> None:
        """Send one operation with its own key, at times twice at once."""
        self._book.count(action)
        key = str(uuid.UUID(int=self._dice.getrandbits(128)))
        wish: dict[str, Any] = {"action": action}
        if cents is not None:
            wish["amount"] = {"centAmount": cents, "currencyCode": purchase.currency}

        async def headers() -> Mapping[str, str]:
            return {**await self._calls.bearer(), "Idempotency-Key": key}

        async def send() -> str:
            path = f"/operations/payment-intents/{purchase.payment_id}"
            answer = await self._calls.settled(action, "POST", path, headers, {"actions": [wish]})
            return str(answer.json()["outcome"])

        if self._dice.random() < 0.2:
            self._book.count("operation sent twice at once")
            outcomes = set(await asyncio.gather(send(), send()))
        else:
            outcomes = {await send()}
        if len(outcomes - {"received"}) > 1:
            raise Trouble(f"{action} {key} ended as {sorted(outcomes)}")
        operation = Operation(key, action, cents, min(outcomes))
        purchase.carried_out(operation)
        if not operation.moved:
            raise Trouble(f"{action} {key} of payment {purchase.payment_id} was rejected")
