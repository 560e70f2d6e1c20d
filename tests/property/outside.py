"""What happens outside of the processors: shoppers, banks, the Dashboard, other connectors."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Coroutine
from typing import Any

from hypothesis import strategies as st

from sandbox.stripe import attempts, charges
from tests.behaviour.test_partly_covered import other_payment
from tests.property import oracle
from tests.world import Json, World

Move = Callable[[st.DataObject], Coroutine[Any, Any, None]]

amounts = st.sampled_from([100, 300, 400, 1000])


class Outside:
    """Moves that the machines choose from."""

    world: World
    unkind: bool = True
    """Whether Stripe does what version 0.1.0 knew nothing of: 500s that it completes later, refunds
    that are none, waiting outside of the page, disputes whose money says otherwise."""
    nulls: bool = True
    """Whether events tell as null what Stripe may leave open."""
    raised: set[str]
    """Intents whose amount was raised: by a further authorization, or by an overcapture."""

    async def bank_or_shopper_decides(self, data: st.DataObject) -> None:
        """A debit comes in or comes back, a challenge is passed or failed, a voucher is paid or
        expires. Whoever leaves instead does nothing."""
        undecided = {
            i["id"]: way_to_decide(i)
            for i in self.world.stripe.intents
            if i["status"] in ("processing", "requires_action") and not is_transfer(i)
        }
        if undecided:
            intent = data.draw(st.sampled_from(sorted(undecided)), label="intent")
            outcome = data.draw(st.sampled_from(["succeed", "fail"]), label="outcome")
            path = f"payment_intents/{intent}/{undecided[intent]}"
            await self.world.at_stripe(path, outcome=outcome)

    async def a_part_is_transferred(self, data: st.DataObject) -> None:
        """A bank transfer comes in: a part of what is due, the rest, or too much."""
        waiting = sorted(i["id"] for i in self.world.stripe.intents if is_transfer(i))
        if waiting:
            intent = data.draw(st.sampled_from(waiting), label="intent")
            amount = data.draw(st.sampled_from([300, 700, 1300]), label="amount")
            await self.world.at_stripe(f"payment_intents/{intent}/fund", amount=amount)

    async def a_new_word_comes(self, data: st.DataObject) -> None:
        """Stripe's enums are open: another state of a refund, another action of a shopper."""
        stripe = self.world.stripe
        of_refund = data.draw(st.booleans(), label="of a refund")
        refunds = [r for r in stripe.refunds if r["status"] == "pending"]
        intents = [i for i in stripe.intents if i["status"] == "requires_action"]
        if refunds and of_refund:
            refunds[0]["status"] = oracle.NEW_STATUS
            stripe.emit("refund.updated", refunds[0])
        elif intents and not attempts.is_outside(intents[0]):
            intents[0]["next_action"] = {"type": oracle.NEW_ACTION}
            stripe.emit("payment_intent.requires_action", intents[0])

    async def others_pay(self, path: str, data: st.DataObject) -> int:
        """Another connector brings a part of a cart or order, such as a gift card, or all of it."""
        cents = data.draw(st.sampled_from([300, 300, 1000]), label="brought")
        type_ = data.draw(st.sampled_from(["Charge", "Authorization"]), label="type")
        await other_payment(self.world, path, cents, type_)
        return cents

    def carts_are_merged(self, cart: Json) -> None:
        """A shopper signs in: what was in the cart goes to another one, its payments stay.

        https://docs.commercetools.com/api/projects/carts#cartstate
        """
        stored = self.world.store.collection("cart").get(cart["id"])
        self.world.store.replace("cart", {**(stored or {}), "cartState": "Merged"})

    async def merchant_uses_the_dashboard(self, data: st.DataObject) -> None:
        """Captures, cancels and refunds that the processor learns of by webhook alone."""
        if not list(self.world.stripe.intents):
            return
        intent = data.draw(st.sampled_from(list(self.world.stripe.intents)), label="intent")
        amount = data.draw(amounts, label="amount")
        if intent["status"] == "requires_capture":
            await self._held_money_moves(data, intent, amount)
        elif intent["status"] == "succeeded" and self._refundable(intent) >= amount:
            await self.world.ask_stripe(
                "POST", "/v1/refunds", payment_intent=intent["id"], amount=amount
            )

    async def _held_money_moves(self, data: st.DataObject, intent: Json, amount: int) -> None:
        path = f"/v1/payment_intents/{intent['id']}"
        untouched = not intent["amount_received"]
        match data.draw(st.sampled_from(["raise", "beyond", "capture", "cancel"]), label="how"):
            case "raise":
                with contextlib.suppress(AssertionError):  # not asked for, or captured in part
                    more = intent["amount"] + amount
                    await self.world.ask_stripe(
                        "POST", f"{path}/increment_authorization", amount=more
                    )
                    self.raised.add(intent["id"])
            case "beyond" if untouched:
                most = charges.most_capturable(self.world.stripe.charges[intent["latest_charge"]])
                if most > intent["amount_capturable"]:
                    await self.world.ask_stripe("POST", f"{path}/capture", amount_to_capture=most)
                    self.was_captured_elsewhere(intent["id"], most)
                    self.raised.add(intent["id"])
            case "cancel" if untouched:
                await self.world.ask_stripe("POST", f"{path}/cancel")
            case "capture":
                amount = min(amount, intent["amount_capturable"])
                await self.world.ask_stripe("POST", f"{path}/capture", amount_to_capture=amount)
                self.was_captured_elsewhere(intent["id"], amount)

    def was_captured_elsewhere(self, intent_id: str, amount: int) -> None:
        """The merchant has captured so much without the processor."""

    def allow_increments_and_overcaptures(self, client_secret: str) -> None:
        """What a merchant may ask of a card, before it is charged."""
        intent = self.world.stripe.intents[client_secret.partition("_secret_")[0]]
        intent["payment_method_options"]["card"].update(
            request_overcapture="if_available", request_incremental_authorization="if_available"
        )

    def _refundable(self, intent: Json) -> int:
        if any(d["payment_intent"] == intent["id"] for d in self.world.stripe.disputes):
            return 0
        refunded = sum(
            r["amount"]
            for r in self.world.stripe.refunds
            if r["payment_intent"] == intent["id"]
            and r["status"] not in ("failed", "canceled")
            and r["balance_transaction"] is not None
        )
        return int(intent["amount_received"] - refunded)

    async def refund_moves_on(self, data: st.DataObject) -> None:
        """Pending ones settle, and even a succeeded one may fail."""
        movable = {
            r["id"]: ["failed"] if r["status"] == "succeeded" else ["succeeded", "failed"]
            for r in self.world.stripe.refunds
            if r["status"] in ("pending", "succeeded", oracle.NEW_STATUS)
            and r["balance_transaction"] is not None
        }
        if movable:
            refund = data.draw(st.sampled_from(sorted(movable)), label="refund")
            status = data.draw(st.sampled_from(movable[refund]), label="status")
            await self.world.at_stripe(f"refunds/{refund}", status=status)

    async def dispute_moves_on(self, data: st.DataObject) -> None:
        """A shopper disputes a payment; the dispute is decided, or reopened by an appeal."""
        disputes = sorted(d["id"] for d in self.world.stripe.disputes)
        charges = sorted(c["id"] for c in self.world.stripe.charges if c["captured"])
        path = ""
        body: Json = {}
        if disputes:
            path = f"disputes/{data.draw(st.sampled_from(disputes), label='dispute')}"
            states = ["under_review", "won", "lost", "needs_response"]
            body = {"status": data.draw(st.sampled_from(states), label="status")}
            if self.unkind and data.draw(st.integers(0, 3), label="against the status") == 3:
                body["reinstated"] = data.draw(st.booleans(), label="reinstated")
        elif charges and data.draw(st.integers(0, 3), label="open one") == 3:
            path = f"charges/{data.draw(st.sampled_from(charges), label='charge')}/dispute"
        if path:
            with contextlib.suppress(AssertionError):  # not a step that Stripe allows from here
                await self.world.at_stripe(path, **body)


def way_to_decide(intent: Json) -> str:
    """The route on which a bank, or a shopper who is not in the page any more, decides."""
    waits = intent["status"] == "processing" or attempts.is_outside(intent)
    return "settle" if waits else "authenticate"


def is_transfer(intent: Json) -> bool:
    """Whether an intent waits for a bank transfer."""
    return "display_bank_transfer_instructions" in (intent["next_action"] or {})


_NULLS: dict[str, list[str]] = {
    "payment_intent": ["customer", "description", "last_payment_error.code", "payment_method"],
    "charge": ["customer", "failure_code", "outcome", "payment_method"],
    "refund": ["balance_transaction", "failure_reason", "reason"],
    "dispute": ["network_reason_code", "payment_method_details"],
}


def with_nulls(event: Json) -> Json:
    """An event whose object tells what Stripe may leave open as null; no money depends on it."""
    event = copy.deepcopy(event)
    about = event["data"]["object"]
    for path in _NULLS.get(about["object"], []):
        *above, name = path.split(".")
        place = about
        for each in above:
            place = place.get(each) or {}
        if name in place:
            place[name] = None
    return event
