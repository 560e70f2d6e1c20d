"""Shoppers: each completes every purchase to a definite end, despite all faults."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Mapping, Sequence

from soak.back_office import BackOffice
from soak.book import Book, Kind, Purchase
from soak.calls import Calls, Headers, Json, Trouble, fixed

_VISA = {"payment_method": "pm_card_visa"}
_DECLINED = {"payment_method": "pm_card_visa_chargeDeclined"}
_CHALLENGED = {"payment_method": "pm_card_threeDSecure2Required"}
_DEBIT = {
    "payment_method_data[type]": "sepa_debit",
    "payment_method_data[sepa_debit][iban]": "DE89370400440532013000",
    "payment_method_data[billing_details][name]": "Ada Byron",
    "payment_method_data[billing_details][email]": "ada@example.com",
}
_SKUS = ("stoneware-mug-1", "brass-pen-1", "task-lamp-1")
_RECORDED_S = 20.0
_LOOK_S = 0.5
_PAID = {
    "actions": [
        {"action": "changePaymentState", "paymentState": "Paid"},
        {"action": "changeOrderState", "orderState": "Confirmed"},
    ]
}


class Shopper:
    """Makes purchases of every kind, one after another, with the back office's operations."""

    def __init__(self, calls: Calls, book: Book, dice: random.Random, think_s: float) -> None:
        self._calls = calls
        self._book = book
        self._dice = dice
        self._think_s = think_s
        self._office = BackOffice(calls, book, dice, think_s)

    async def go(self, stop: asyncio.Event) -> None:
        """Run until stopped; the current purchase is completed."""
        while not stop.is_set():
            buy = self._dice.choices((self._element, self._hosted, self._recurring), (6, 2, 1))[0]
            try:
                await buy()
            except Trouble as error:
                self._book.troubles.append(str(error))
            await asyncio.sleep(self._dice.uniform(0, 2 * self._think_s))

    # Purchases

    async def _element(self) -> None:
        """Pay in the shop's page, with Stripe's elements; British cards are captured later."""
        manual = self._dice.random() < 0.4
        cart = await self._cart("GB", "GBP") if manual else await self._cart("DE", "EUR")
        purchase = self._noted(cart, "element")
        session = fixed(x_session_id=await self._calls.session(cart))
        started = await self._started(session)
        purchase.payment_id = started["paymentReference"]
        secret = started["clientSecret"]
        intent_id = _intent_id(secret)
        pay = self._dice.choices(
            (self._by_card, self._after_decline, self._challenged, self._by_debit, self._leave),
            (5, 2, 2, 0 if manual else 2, 1),
        )[0]
        if not await pay(secret, purchase):
            return
        purchase.moved = True
        purchase.captured = 0 if manual else purchase.cents
        if self._dice.random() < 0.75:
            await self._confirmed(purchase, intent_id, session)
        else:
            self._book.count("tab closed after paying")
        if await self._recorded(purchase, "Authorization" if manual else "Charge"):
            await self._office.attend(purchase, intent_id, manual=manual)

    async def _hosted(self) -> None:
        """Pay for an order on Stripe's page."""
        self._book.count("hosted page")
        cart = await self._cart("DE", "EUR")
        purchase = self._noted(cart, "hosted")
        order = await self._twice(
            "POST /api/v1/carts/{id}/order", f"/api/v1/carts/{cart['id']}/order", {}, (200, 201)
        )
        purchase.order_id = order["id"]
        opened = await self._twice(
            "POST /api/v1/payments/sessions",
            "/api/v1/payments/sessions",
            {"id": order["id"]},
            (200, 201),
        )
        if self._dice.random() < 0.1:
            self._book.count("left without paying")
            return
        await self._calls.sandbox(
            "POST", f"stripe/checkout/sessions/{opened['id']}/pay", dict(_VISA)
        )
        purchase.moved, purchase.captured = True, purchase.cents
        if self._dice.random() < 0.3:
            self._book.count("tab closed after paying")
            return
        path = f"/api/v1/orders/{order['id']}"
        await self._calls.settled("PUT /api/v1/orders/{id}", "PUT", path, fixed(), _PAID)
        shown = await self._calls.commercetools(
            "GET", f"orders/{order['id']}?expand=paymentInfo.payments%5B*%5D"
        )
        paid = [each["obj"] for each in shown["paymentInfo"]["payments"]]
        purchase.payment_id = paid[-1]["id"]
        if await self._recorded(purchase, "Charge"):
            await self._office.attend(purchase, paid[-1]["interfaceId"], manual=False)

    async def _recurring(self) -> None:
        """Store a customer's card, and charge it later without the customer."""
        self._book.count("stored card, charged later")
        email = f"{uuid.UUID(int=self._dice.getrandbits(128))}@example.com"
        signed_up = await self._calls.commercetools("POST", "customers", {"email": email})
        customer_id = signed_up["customer"]["id"]
        cart = await self._cart("DE", "EUR", customerId=customer_id)
        first = self._noted(cart, "element")
        session = fixed(x_session_id=await self._calls.session(cart))
        answer = await self._calls.settled(
            "POST /payments", "POST", "/payments", session, {"storePaymentMethod": True}
        )
        secret = answer.json()["clientSecret"]
        first.payment_id = answer.json()["paymentReference"]
        await self._pays(secret, _VISA)
        first.moved, first.captured = True, first.cents
        await self._confirmed(first, _intent_id(secret), session)
        for _ in range(int(_RECORDED_S / _LOOK_S)):
            answer = await self._calls.settled(
                "GET /stored-payment-methods", "GET", "/stored-payment-methods", session
            )
            if stored := answer.json()["storedPaymentMethods"]:
                await self._charged(customer_id, stored[0]["id"])
                return
            await asyncio.sleep(_LOOK_S)

    async def _charged(self, customer_id: str, method_id: str) -> None:
        cart = await self._cart("DE", "EUR", customerId=customer_id)
        purchase = self._noted(cart, "recurring")
        body = {
            "cartId": cart["id"],
            "checkoutTransactionItemId": str(uuid.UUID(int=self._dice.getrandbits(128))),
            "type": "Recurring",
            "paymentMethodId": method_id,
        }

        async def charge() -> Json:
            answer = await self._calls.settled(
                "POST /operations/transactions",
                "POST",
                "/operations/transactions",
                self._calls.bearer,
                body,
                settles=(201,),
            )
            return dict(answer.json())

        if self._dice.random() < 0.3:
            self._book.count("operation sent twice at once")
            answers = list(await asyncio.gather(charge(), charge()))
        else:
            answers = [await charge()]
        states = {each["transactionStatus"]["state"] for each in answers}
        if states != {"Completed"}:
            raise Trouble(f"cart {cart['id']}: charging a stored card ended as {sorted(states)}")
        purchase.payment_id = answers[0]["paymentId"]
        purchase.moved, purchase.captured = True, purchase.cents

    async def _cart(self, country: str, currency: str, **more: str) -> Json:
        skus = self._dice.sample(_SKUS, self._dice.randint(1, 3))
        quantities = {sku: self._dice.randint(1, 3) for sku in skus}
        return await self._calls.cart(country, currency, quantities, **more)

    def _noted(self, cart: Json, kind: Kind) -> Purchase:
        total = cart["totalPrice"]
        purchase = Purchase(cart["id"], total["centAmount"], total["currencyCode"], kind)
        self._book.purchases.append(purchase)
        return purchase

    async def _started(self, session: Headers) -> Json:
        """Start a payment; a double click or reload must get the same one."""

        async def start() -> Json:
            answer = await self._calls.settled("POST /payments", "POST", "/payments", session)
            return dict(answer.json())

        if self._dice.random() < 0.2:
            self._book.count("double click")
            first, again = await asyncio.gather(start(), start())
        elif self._dice.random() < 0.2:
            self._book.count("reload")
            first, again = await start(), await start()
        else:
            first = again = await start()
        if first["clientSecret"] != again["clientSecret"]:
            raise Trouble(f"two payments were started for cart {first['cartId']}")
        return first

    async def _twice(self, name: str, path: str, body: Json, settles: Sequence[int]) -> Json:
        """Send a request, at times twice at once; both must have the same result."""

        async def once() -> Json:
            answer = await self._calls.settled(name, "POST", path, fixed(), body, settles=settles)
            return dict(answer.json())

        if self._dice.random() >= 0.2:
            return await once()
        self._book.count("double click")
        first, again = await asyncio.gather(once(), once())
        if first["id"] != again["id"]:
            raise Trouble(f"{name} made two: {first['id']} and {again['id']}")
        return first

    # Ways to pay; each returns whether Stripe took or holds the money in the end

    async def _by_card(self, secret: str, _: Purchase) -> bool:
        self._book.count("card")
        await self._pays(secret, _VISA)
        return True

    async def _after_decline(self, secret: str, _: Purchase) -> bool:
        self._book.count("card declined, then another")
        await self._calls.browser(secret, **_DECLINED)
        await asyncio.sleep(self._dice.uniform(0, self._think_s))
        await self._pays(secret, _VISA)
        return True

    async def _challenged(self, secret: str, _: Purchase) -> bool:
        self._book.count("3-D Secure")
        await self._pays(secret, _CHALLENGED)
        await asyncio.sleep(self._dice.uniform(0, self._think_s))
        path = f"stripe/payment_intents/{_intent_id(secret)}/authenticate"
        passes = self._dice.random() < 0.8
        await self._calls.sandbox("POST", path, {"outcome": "succeed" if passes else "fail"})
        return passes

    async def _by_debit(self, secret: str, purchase: Purchase) -> bool:
        """Let the bank pay days later, or not."""
        self._book.count("bank debit")
        await self._pays(secret, _DEBIT)
        purchase.moved = True
        await asyncio.sleep(self._dice.uniform(0, self._think_s))
        pays = self._dice.random() < 0.8
        path = f"stripe/payment_intents/{_intent_id(secret)}/settle"
        await self._calls.sandbox("POST", path, {"outcome": "succeed" if pays else "fail"})
        purchase.moved = pays
        return pays

    async def _leave(self, _secret: str, _: Purchase) -> bool:
        self._book.count("left without paying")
        return False

    async def _pays(self, secret: str, parameters: Mapping[str, str]) -> None:
        intent = await self._calls.browser(secret, **parameters)
        if "error" in intent:
            raise Trouble(f"Stripe.js could not pay {_intent_id(secret)}: {intent['error']}")

    async def _confirmed(self, purchase: Purchase, intent_id: str, session: Headers) -> None:
        await self._calls.settled(
            "POST /confirmPayments",
            "POST",
            f"/confirmPayments/{purchase.payment_id}",
            session,
            {"paymentIntent": intent_id},
            settles=(200, 202),
        )

    async def _recorded(self, purchase: Purchase, kind: str) -> bool:
        """Wait for a time until the Payment shows it: its webhook may be late, or lost."""
        for _ in range(int(_RECORDED_S / _LOOK_S)):
            payment = await self._calls.commercetools("GET", f"payments/{purchase.payment_id}")
            if any(
                each["type"] == kind and each["state"] == "Success"
                for each in payment["transactions"]
            ):
                return True
            await asyncio.sleep(_LOOK_S)
        return False


def _intent_id(secret: str) -> str:
    return secret.partition("_secret_")[0]
