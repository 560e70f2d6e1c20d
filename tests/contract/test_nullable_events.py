"""Every event that we handle, with each null, gap and new word that Stripe's types allow.

The same change is made to what Stripe answers when it is asked, so that what is read anew holds it,
too. Expandable fields are ids everywhere but where we ask for more, as at Stripe. What our Structs
name is changed place by place, all the rest of an object at once.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import stripe
from msgspec.structs import fields
from stripe.checkout import Session

from sandbox.stripe import captures
from stripe_connector.storefront.events import HANDLED
from tests.behaviour.steps import MANUAL, dashboard_refund, started
from tests.behaviour.test_bff_payments import Shopper
from tests.contract.stripe_types import OF, Json, Place, places
from tests.world import World

CLASSES: dict[str, type[Any]] = {
    "charge": stripe.Charge,
    "checkout.session": Session,
    "customer": stripe.Customer,
    "customer_cash_balance_transaction": stripe.CustomerCashBalanceTransaction,
    "dispute": stripe.Dispute,
    "payment_intent": stripe.PaymentIntent,
    "payment_method": stripe.PaymentMethod,
    "refund": stripe.Refund,
}
READ = {class_: {f.encode_name for f in fields(struct)} for struct, class_ in OF.items()}
"""By class of the SDK, the fields that our Structs name."""
KEPT = {("metadata",)}
"""Without it nothing is ours: foreign events have a test of their own."""


async def of_a_card() -> World:
    """Captured in part, refunded, disputed, lost."""
    world = World(MANUAL)
    shop = await started(world)
    await world.pay(shop.secret)
    intent = world.stripe.intents[shop.intent_id]
    captures.capture(world.stripe, intent, 700)
    refund = await dashboard_refund(world, shop.intent_id, 100)
    await world.at_stripe(f"refunds/{refund}", status="failed")
    await world.at_stripe(f"charges/{intent['latest_charge']}/dispute", amount=200)
    [dispute] = world.stripe.disputes
    for status in ("under_review", "won", "lost"):
        await world.at_stripe(f"disputes/{dispute['id']}", status=status)
    return world


async def of_authorizations() -> World:
    """One was cancelled, one has expired, one attempt was declined, one needs a challenge."""
    world = World(MANUAL)
    for method in ("pm_card_visa", "pm_card_visa", "pm_card_visa_chargeDeclined"):
        shop = await started(world)
        await world.pay(shop.secret, method)
    first, second, _ = list(world.stripe.intents)
    captures.cancel(world.stripe, first, None)
    captures.expire(world.stripe, second)
    challenged = await started(world)
    await world.pay(challenged.secret, "pm_card_threeDSecure2Required")
    return world


async def of_slow_methods() -> World:
    """A debit and a bank transfer in parts, and a card whose charge is changed."""
    world = World()
    await world.pay((await started(world)).secret)
    [charge] = world.stripe.charges
    await world.ask_stripe("POST", f"/v1/charges/{charge['id']}", description="A note")
    for outcome in ("succeed", "fail"):
        shop = await started(world)
        await world.pay(shop.secret, "sepa_debit")
        await world.at_stripe(f"payment_intents/{shop.intent_id}/settle", outcome=outcome)
    theirs = await world.ask_stripe(
        "POST", "/v1/customers", **{"metadata[ct_project_key]": "sandbox"}
    )
    shop = await started(world)
    path = f"/v1/payment_intents/{shop.intent_id}"
    await world.ask_stripe("POST", path, customer=theirs["id"])
    transfer = {"payment_method_data[type]": "customer_balance"}
    await world.ask_stripe(
        "POST", f"{path}/confirm", return_url="http://localhost:3000", **transfer
    )
    for amount in (400, 900):
        await world.at_stripe(f"payment_intents/{shop.intent_id}/fund", amount=amount)
    await world.ask_stripe("DELETE", f"/v1/customers/{theirs['id']}")
    return world


async def of_pages() -> World:
    """Sessions that were paid, paid late, not paid after all, and left alone; a saved card."""
    world = World()
    shopper = Shopper(world)
    await shopper.pay((await shopper.session((await shopper.order())["id"])).json())
    for outcome in ("succeed", "fail"):
        page = (await shopper.session((await shopper.order())["id"])).json()
        method = await world.ask_stripe(
            "POST",
            "/v1/payment_methods",
            **{"type": "sepa_debit", "sepa_debit[iban]": "DE89370400440532013000"},
        )
        paid = await world.at_stripe(
            f"checkout/sessions/{page['id']}/pay", payment_method=method["id"]
        )
        await world.at_stripe(f"payment_intents/{paid['payment_intent']}/settle", outcome=outcome)
    await shopper.session((await shopper.order())["id"])
    world.clock.advance(2 * 86_400)
    world.stripe.run_due()
    customer = await world.ask_stripe("POST", "/v1/customers", email="lin@example.com")
    card = await world.ask_stripe(
        "POST", "/v1/payment_methods/pm_card_visa/attach", customer=customer["id"]
    )
    await world.ask_stripe("POST", f"/v1/payment_methods/{card['id']}/detach")
    return world


WORLDS = [of_a_card, of_authorizations, of_slow_methods, of_pages]


def changes(obj: Json) -> Iterator[list[Place]]:
    """What is changed at once: one place that we read, or all others in the same way."""
    class_ = CLASSES[obj["object"]]
    others: dict[str, list[Place]] = {}
    for place in places(obj, class_):
        if place.path in KEPT:
            continue
        if _is_read(class_, place.path):
            yield [place]
        elif len(place.path) == 1:
            others.setdefault(place.what, []).append(place)
    yield from others.values()
    yield [Place(("added_tomorrow",), "more")]


def _is_read(class_: type[Any], path: tuple[str, ...]) -> bool:
    return path[0] in READ.get(class_, set()) | {"id", "object", "payment_intent", "customer"}


def at_stripe(world: World, obj: Json) -> Json | None:
    """What Stripe answers when it is asked for the object."""
    tables = (
        world.stripe.intents,
        world.stripe.charges,
        world.stripe.refunds,
        world.stripe.disputes,
        world.stripe.sessions,
        world.stripe.methods,
        world.stripe.customers,
    )
    return next((table[obj["id"]] for table in tables if obj["id"] in table), None)


def restore(into: Json, value: Json) -> None:
    into.clear()
    into.update(value)


@pytest.mark.parametrize("make", WORLDS, ids=lambda make: make.__name__)
async def test_no_null_gap_or_new_word_makes_a_webhook_fail(make: Any) -> None:
    world = await make()
    before = [
        (type_id, document)
        for type_id in ("payment", "order")
        for document in world.store.collection(type_id)
    ]
    tried = 0
    for event in [e for e in world.stripe.events if e["type"] in HANDLED]:
        for change in changes(event["data"]["object"]):
            told: Json = copy.deepcopy(event)
            answered = at_stripe(world, event["data"]["object"])
            kept = copy.deepcopy(answered)
            for place in change:
                place.change(told["data"]["object"])
                # the stand-in itself knows no gaps, and names by which it finds things
                if answered is not None and place.what in ("null", "more"):
                    _try(place, answered)
            answer = await world.deliver(told)
            where = f"{event['type']}: {', '.join(map(str, change))}"
            assert answer.status_code < 500, f"{where}: {answer.status_code} {answer.text}"
            tried += 1
            if answered is not None and kept is not None:
                restore(answered, kept)
            for type_id, document in before:
                world.put_back(type_id, document)
    assert tried > 100


def _try(place: Place, obj: Json) -> None:
    if place.path[0] in ("latest_charge", "charge", "payment_intent", "payment_method", "customer"):
        return
    value: Any = obj
    for name in place.path[:-1]:
        value = value.get(name)
        if not isinstance(value, dict):
            return
    place.change(obj)


@pytest.mark.parametrize("make", WORLDS, ids=lambda make: make.__name__)
async def test_whatever_form_a_foreign_object_has_it_is_acknowledged(make: Any) -> None:
    world = await make()
    calls = len(world.network.calls)
    seen = set()
    for event in [e for e in world.stripe.events if e["type"] in HANDLED]:
        for metadata in (None, {}, {"ct_project_key": "another"}, "nonsense"):
            theirs: Json = copy.deepcopy(event)
            obj = theirs["data"]["object"]
            kept = {"object": obj["object"], "id": f"theirs_{obj['id']}", "metadata": metadata}
            if "payment_intent" in obj:
                kept["payment_intent"] = "pi_theirs"
            for strange in (kept, {**{name: [] for name in obj}, **kept}, {**obj, **kept}):
                theirs["data"]["object"] = strange
                answer = await world.deliver(theirs)
                assert answer.status_code == 200, f"{event['type']} {strange}: {answer.text}"
                seen.add(answer.json()["effect"])
    assert seen <= {"foreign", "ignored", "already stored"}, seen
    written = [
        call
        for call in world.network.calls[calls:]
        if call.method == "POST" and "/oauth/" not in call.path
    ]
    assert not written


async def test_every_handled_event_is_made_in_one_of_the_worlds() -> None:
    """A type that no world makes would go unchecked."""
    made = {event["type"] for make in WORLDS for event in (await make()).stripe.events}
    assert made >= HANDLED
