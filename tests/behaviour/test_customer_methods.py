"""A customer's stored payment methods: shown as Stripe has them, removed on both sides."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Mapping

import httpx
import pytest

from sandbox.commercetools.shop import CLIENTS
from tests.behaviour.steps import Json, Once, no_trouble, shuffled
from tests.behaviour.stored import DEBIT, ENABLED, ITEM, NOBODY, PATH, Regular, records, regular
from tests.behaviour.test_stored_methods import RECURRING
from tests.wire import Call, Crash, Trouble
from tests.world import ORIGIN, World

FAILURES: list[Trouble] = ["refused", "lost", "error before", "error after", "busy"]
CRASHES: list[Trouble] = ["crash before", "crash after"]


async def customer(environment: Mapping[str, str] = ENABLED) -> Regular:
    return await regular(World(environment))


async def remove(
    lin: Regular, method_id: str, session: Mapping[str, str] | None = None
) -> httpx.Response:
    headers = session or await lin.session()
    return await lin.world.client.delete(f"{PATH}/{method_id}", headers=headers)


def saved_at_stripe(lin: Regular) -> list[str]:
    found = lin.world.stripe.methods.newest({"customer": lin.stripe_id})
    return [str(method["id"]) for method in found]


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


async def active(world: World) -> list[str]:
    """Tokens of the records that are offered."""
    return sorted(
        each["token"]["value"]
        for each in await records(world)
        if each["paymentMethodStatus"] == "Active"
    )


# What is shown


async def test_a_card_is_shown_by_what_its_owner_knows_it_by_and_without_its_token() -> None:
    lin = await customer()
    token = await lin.saves()
    [shown] = await lin.shown()
    [record] = await records(lin.world)
    card = lin.world.stripe.methods[token]["card"]
    assert shown == {
        "id": record["id"],
        "type": "card",
        "token": record["id"],
        "isDefault": False,
        "createdAt": record["createdAt"],
        "displayOptions": {
            "endDigits": "4242",
            "brand": {"key": "visa"},
            "expiryMonth": card["exp_month"],
            "expiryYear": card["exp_year"],
        },
    }


async def test_a_bank_account_is_shown_by_its_last_digits() -> None:
    lin = await customer()
    made = await lin.world.ask_stripe("POST", "/v1/payment_methods", **DEBIT)
    await lin.saves(made["id"])
    [shown] = await lin.shown()
    assert (shown["type"], shown["displayOptions"]) == ("sepa_debit", {"endDigits": "3000"})


async def test_what_commercetools_does_not_know_yet_gets_one_record() -> None:
    lin = await customer()
    tokens = sorted([await lin.saves(), await lin.saves("pm_card_mastercard")])
    assert len(await lin.shown()) == 2
    assert await lin.shown() == await lin.shown()
    found = await records(lin.world)
    assert sorted(each["token"]["value"] for each in found) == tokens
    assert {each["customer"]["id"] for each in found} == {lin.id}
    assert {each["paymentInterface"] for each in found} == {"checkout-stripe"}


async def test_asked_several_times_at_once_it_is_recorded_once() -> None:
    for seed in range(8):
        lin = await customer()
        await lin.saves()
        session = await lin.session()
        shuffled(lin.world, seed)
        answers = await asyncio.gather(
            *(lin.world.start_processor().client.get(PATH, headers=session) for _ in range(3))
        )
        lin.world.network.turn = None
        [record] = await records(lin.world)
        for answer in answers:
            assert [each["id"] for each in answer.json()["storedPaymentMethods"]] == [record["id"]]


async def test_a_record_without_a_key_is_recognised_by_its_token() -> None:
    lin = await customer()
    token = await lin.saves()
    made = await lin.world.commercetools(
        "POST",
        "payment-methods",
        {
            "customer": {"typeId": "customer", "id": lin.id},
            "paymentInterface": "checkout-stripe",
            "method": "card",
            "token": {"value": token},
            "default": True,
        },
    )
    [shown] = await lin.shown()
    assert (shown["id"], shown["isDefault"]) == (made["id"], True)
    assert len(await records(lin.world)) == 1


async def test_nobody_sees_what_is_another_customers() -> None:
    lin = await customer()
    await lin.saves()
    mia = await regular(lin.world, "mia@example.com")
    assert await mia.shown() == []


async def test_a_customer_who_is_not_known_to_stripe_has_none() -> None:
    world = World(ENABLED)
    created = await world.commercetools("POST", "customers", {"email": "lin@example.com"})
    assert await Regular(world, created["customer"]["id"], "").shown() == []


async def test_what_was_detached_is_hidden_and_its_record_becomes_inactive() -> None:
    lin = await customer()
    await lin.on_file()
    token = saved_at_stripe(lin)[0]
    await lin.world.ask_stripe("POST", f"/v1/payment_methods/{token}/detach")
    assert await lin.shown() == []
    assert await active(lin.world) == []


async def test_the_record_of_a_method_of_another_stripe_customer_stays_active() -> None:
    """It can be charged all the same, such as for orders that recur."""
    lin = await customer()
    other = await lin.world.ask_stripe("POST", "/v1/customers", email="lin@example.com")
    elsewhere = await Regular(lin.world, lin.id, other["id"]).saves()
    await lin.world.commercetools(
        "POST",
        "payment-methods",
        {
            "customer": {"typeId": "customer", "id": lin.id},
            "paymentInterface": "checkout-stripe",
            "method": "card",
            "token": {"value": elsewhere},
        },
    )
    assert await lin.shown() == []
    assert await active(lin.world) == [elsewhere]


async def test_what_the_merchant_made_inactive_is_hidden() -> None:
    lin = await customer()
    method_id = await lin.on_file()
    inactive = {"action": "setPaymentMethodStatus", "paymentMethodStatus": "Inactive"}
    await lin.world.commercetools(
        "POST", f"payment-methods/{method_id}", {"version": 1, "actions": [inactive]}
    )
    assert await lin.shown() == []
    assert len(await records(lin.world)) == 1


async def test_where_accounts_share_a_project_only_methods_of_this_one_are_shown() -> None:
    account = {**ENABLED, "STORED_PAYMENT_METHODS_INTERFACE_ACCOUNT": "berlin"}
    lin = await customer(account)
    method_id = await lin.on_file()
    [record] = await records(lin.world)
    assert record["interfaceAccount"] == "berlin"
    lin.world.environment = {**lin.world.environment, **account}
    lin.world.environment["STORED_PAYMENT_METHODS_INTERFACE_ACCOUNT"] = "paris"
    lin.world.processor = lin.world.start_processor()
    assert await lin.shown() == []
    assert (await remove(lin, method_id)).status_code == 404


# Who may not


async def test_a_guest_is_told_that_a_customer_is_needed() -> None:
    world = World(ENABLED)
    session = await world.session((await world.cart())["id"])
    for method, path in (("GET", PATH), ("DELETE", f"{PATH}/{NOBODY}")):
        answer = await world.client.request(method, path, headers=session)
        assert refusal(answer) == (400, "RequiredField")
        assert answer.json()["errors"][0]["field"] == "customerId"


async def test_without_the_setting_nothing_is_shown_removed_or_asked() -> None:
    lin = await customer({})
    token = await lin.saves()
    session = await lin.session()
    await lin.world.client.get("/operations/config", headers=session)
    lin.world.network.calls.clear()
    for method, path in (("GET", PATH), ("DELETE", f"{PATH}/{NOBODY}")):
        answer = await lin.world.client.request(method, path, headers=session)
        assert refusal(answer) == (400, "InvalidOperation")
    assert lin.world.network.calls == []
    assert saved_at_stripe(lin) == [token]


# Removing


async def test_what_is_removed_can_be_charged_no_more_and_is_not_shown() -> None:
    lin = await customer()
    keep, drop = await lin.on_file(), await lin.on_file("pm_card_mastercard")
    assert (await remove(lin, drop)).status_code == 200
    assert [each["id"] for each in await lin.shown()] == [keep]
    assert len(saved_at_stripe(lin)) == 1
    assert await active(lin.world) == saved_at_stripe(lin)


async def test_removing_again_changes_nothing() -> None:
    lin = await customer()
    method_id = await lin.on_file()
    for _ in range(3):
        assert (await remove(lin, method_id)).status_code == 200
        await lin.world.deliver_all()
    assert await active(lin.world) == []


async def test_another_customers_method_cannot_be_removed() -> None:
    lin = await customer()
    method_id = await lin.on_file()
    mia = await regular(lin.world, "mia@example.com")
    for unknown in (method_id, NOBODY, "no-uuid", "key=pm_1", "..%2Fcarts"):
        assert refusal(await remove(mia, unknown)) == (404, "ResourceNotFound")
    assert len(await lin.shown()) == 1


async def test_a_method_of_another_interface_cannot_be_removed() -> None:
    lin = await customer()
    made = await lin.world.commercetools(
        "POST",
        "payment-methods",
        {
            "customer": {"typeId": "customer", "id": lin.id},
            "paymentInterface": "another-psp",
            "token": {"value": await lin.saves()},
        },
    )
    assert (await remove(lin, made["id"])).status_code == 404
    assert len(saved_at_stripe(lin)) == 1


async def test_a_record_that_others_change_meanwhile_is_removed_all_the_same() -> None:
    lin = await customer()
    method_id = await lin.on_file()
    changed = False

    async def meddle(call: Call) -> None:
        nonlocal changed
        if call.method == "POST" and "/payment-methods/" in call.path and not changed:
            changed = True
            rename = {"action": "setDefault", "default": True}
            await lin.world.commercetools(
                "POST", f"payment-methods/{method_id}", {"version": 1, "actions": [rename]}
            )

    lin.world.network.turn = meddle
    assert (await remove(lin, method_id)).status_code == 200
    assert changed
    assert await active(lin.world) == []


async def assert_never_shown_without_a_token(lin: Regular, method_id: str) -> None:
    """Chargeable methods have an active record, and what is shown can be charged."""
    alive = saved_at_stripe(lin)
    assert [each["id"] for each in await lin.shown()] == ([method_id] if alive else [])
    assert await active(lin.world) == alive


@pytest.mark.parametrize("trouble", [*FAILURES, *CRASHES])
async def test_trouble_at_any_call_of_a_removal_leaves_both_sides_agreeing(
    trouble: Trouble,
) -> None:
    for index in itertools.count():
        lin = await customer()
        method_id, session = await lin.on_file(), await lin.session()
        lin.world.processor = lin.world.start_processor()
        lin.world.network.trouble = fault = Once(index, trouble)
        try:
            answer = await remove(lin, method_id, session)
        except Crash:
            lin.world.processor = lin.world.start_processor()
        else:
            assert answer.status_code in (200, 503), answer.text
        lin.world.network.trouble = no_trouble
        await assert_never_shown_without_a_token(lin, method_id)
        assert (await remove(lin, method_id, session)).status_code == 200
        assert saved_at_stripe(lin) == await active(lin.world) == []
        if not fault.happened:
            break
    assert index >= 4


@pytest.mark.parametrize("trouble", [*FAILURES, *CRASHES])
async def test_trouble_at_any_call_of_a_listing_is_told_and_made_good(trouble: Trouble) -> None:
    for index in itertools.count():
        lin = await customer()
        await lin.on_file()
        dead = saved_at_stripe(lin)[0]
        await lin.world.ask_stripe("POST", f"/v1/payment_methods/{dead}/detach")
        await lin.saves("pm_card_mastercard")
        session = await lin.session()
        lin.world.processor = lin.world.start_processor()
        lin.world.network.trouble = fault = Once(index, trouble)
        try:
            answer = await lin.world.client.get(PATH, headers=session)
        except Crash:
            lin.world.processor = lin.world.start_processor()
        else:
            assert answer.status_code in (200, 503), answer.text
        lin.world.network.trouble = no_trouble
        [shown] = await lin.shown()
        assert shown["displayOptions"]["brand"] == {"key": "mastercard"}
        assert await active(lin.world) == saved_at_stripe(lin)
        assert len(await records(lin.world)) == 2
        if not fault.happened:
            break
    assert index >= 7


async def test_removed_and_listed_at_once_it_does_not_come_back() -> None:
    for seed in range(12):
        lin = await customer()
        method_id, session = await lin.on_file(), await lin.session()
        shuffled(lin.world, seed)
        await asyncio.gather(
            remove(lin, method_id, session),
            lin.world.start_processor().client.get(PATH, headers=session),
            lin.world.start_processor().client.delete(f"{PATH}/{method_id}", headers=session),
        )
        lin.world.network.turn = None
        assert await lin.shown() == []
        assert saved_at_stripe(lin) == await active(lin.world) == []


# What the enabler is told


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("known", [True, False])
async def test_the_configuration_offers_stored_methods_to_customers_where_enabled(
    enabled: bool, known: bool
) -> None:
    lin = await customer(ENABLED if enabled else {})
    session = (
        await lin.session() if known else await lin.world.session((await lin.world.cart())["id"])
    )
    answer = await lin.world.client.get("/operations/config", headers=session)
    config: Json = answer.json()
    assert config["storedPaymentMethodsConfig"] == {"isEnabled": enabled and known}


async def test_before_there_is_a_cart_nobody_is_offered_any() -> None:
    world = World(ENABLED)
    answer = await world.client.post("/express-config", headers={"Origin": ORIGIN})
    assert answer.json()["storedPaymentMethodsConfig"] == {"isEnabled": False}
    assert answer.json()["stripeJsUrl"].startswith("https://js.stripe.com/")


# The same card, saved several times


async def test_a_card_that_was_saved_twice_is_shown_once_under_its_newest_token() -> None:
    lin = await customer()
    await lin.saves()
    lin.world.clock.advance(10)
    newest = await lin.saves()
    other = await lin.saves("pm_card_mastercard")
    shown = {each["id"] for each in await lin.shown()}
    tokens = {each["token"]["value"] for each in await records(lin.world) if each["id"] in shown}
    assert tokens == {newest, other}


def without_the_scope(lin: Regular) -> None:
    """A processor of which the API client is that of an older version."""
    scopes = CLIENTS["sandbox-processor"].replace("view_recurring_orders", "").split()
    lin.world.store.tokens.register("sandbox-processor", "sandbox-processor-secret", scopes)
    lin.world.processor = lin.world.start_processor()


async def twice(lin: Regular) -> tuple[str, str]:
    """A card saved twice, with records of both; the tokens, the older first."""
    old = await lin.saves()
    await lin.shown()
    lin.world.clock.advance(10)
    return old, await lin.saves()


async def recurring_order(lin: Regular, state: str = "active", cart: str | None = None) -> None:
    """The customer has ordered something that comes again, until somebody changes that."""
    if cart is None:
        cart = (await lin.world.cart(customerId=lin.id, **RECURRING))["id"]
    version = (await lin.world.commercetools("GET", f"carts/{cart}"))["version"]
    await lin.world.commercetools("POST", "orders", {"id": cart, "version": version})
    await change_state(lin, state)


async def change_state(lin: Regular, state: str) -> None:
    """Let the one recurring order be in a state."""
    [made] = (await lin.world.commercetools("GET", "recurring-orders"))["results"]
    change = {"action": "setRecurringOrderState", "recurringOrderState": {"type": state}}
    await lin.world.commercetools(
        "POST", f"recurring-orders/{made['id']}", {"version": made["version"], "actions": [change]}
    )


async def test_the_older_token_of_a_card_is_detached() -> None:
    lin = await customer()
    old, newest = await twice(lin)
    other = await lin.saves("pm_card_mastercard")
    assert len(await lin.shown()) == 2
    kept = sorted([newest, other])
    assert sorted(saved_at_stripe(lin)) == sorted(await active(lin.world)) == kept
    before = len(lin.world.network.calls)
    assert len(await lin.shown()) == 2
    names = [call.name for call in lin.world.network.calls[before:]]
    assert "commercetools GET /sandbox/recurring-orders" not in names
    assert old not in saved_at_stripe(lin)


@pytest.mark.parametrize("state", ["active", "paused"])
async def test_a_recurring_order_keeps_the_older_token_attached(state: str) -> None:
    """It may be the one that is charged; nobody is offered it any more."""
    lin = await customer()
    await recurring_order(lin, state)
    old, newest = await twice(lin)
    [shown] = await lin.shown()
    assert sorted(saved_at_stripe(lin)) == sorted(await active(lin.world)) == sorted([old, newest])
    assert (await remove(lin, shown["id"])).status_code == 200
    assert await lin.shown() == []
    assert saved_at_stripe(lin) == [old]


@pytest.mark.parametrize("state", ["canceled", "expired"])
async def test_a_recurring_order_that_is_over_keeps_nothing(state: str) -> None:
    lin = await customer()
    await recurring_order(lin, state)
    _, newest = await twice(lin)
    await lin.shown()
    assert saved_at_stripe(lin) == await active(lin.world) == [newest]


async def test_another_customers_recurring_order_keeps_nothing() -> None:
    lin = await customer()
    await recurring_order(await regular(lin.world, "mia@example.com"))
    _, newest = await twice(lin)
    await lin.shown()
    assert saved_at_stripe(lin) == [newest]


async def test_a_method_that_pays_a_recurring_order_is_not_removed() -> None:
    lin = await customer()
    unused = await lin.on_file("pm_card_mastercard")
    cart = await lin.world.cart(customerId=lin.id, **RECURRING)
    session = await lin.world.session(cart["id"], checkoutTransactionItemId=ITEM)
    begun = await lin.world.start(session)
    await lin.world.pay(begun["clientSecret"])
    await lin.world.deliver_all()
    await recurring_order(lin, cart=cart["id"])
    token = (await lin.world.payment(begun["paymentReference"]))["paymentMethodInfo"]["token"]
    [used] = [each["id"] for each in await records(lin.world) if each["token"] == token]

    refused = await remove(lin, used)

    assert refused.status_code == 409, refused.text
    [order] = lin.world.store.collection("recurring-order")
    [error] = refused.json()["errors"]
    assert (error["code"], error["recurringOrders"]) == ("RecurringOrder", [order["id"]])
    assert token["value"] in saved_at_stripe(lin)
    assert (await remove(lin, unused)).status_code == 200
    await change_state(lin, "canceled")
    assert (await remove(lin, used)).status_code == 200
    assert saved_at_stripe(lin) == []


async def test_without_the_scope_for_recurring_orders_a_method_can_be_removed() -> None:
    lin = await customer()
    method_id = await lin.on_file()
    without_the_scope(lin)
    assert (await remove(lin, method_id)).status_code == 200
    assert saved_at_stripe(lin) == []


@pytest.mark.parametrize("trouble", [*FAILURES, *CRASHES])
async def test_a_card_that_was_saved_twice_is_removed_under_both_tokens(trouble: Trouble) -> None:
    """Also where nobody has looked since it was saved again; a repetition completes it."""
    for index in itertools.count():
        lin = await customer()
        await twice(lin)
        [older] = await records(lin.world)
        session = await lin.session()
        lin.world.network.trouble = fault = Once(index, trouble)
        with contextlib.suppress(Crash):
            await remove(lin, older["id"], session)
        if lin.world.processor.wire.dead:
            lin.world.processor = lin.world.start_processor()
        lin.world.network.trouble = no_trouble
        assert (await remove(lin, older["id"], session)).status_code == 200
        assert await lin.shown() == []
        assert saved_at_stripe(lin) == await active(lin.world) == []
        if not fault.happened:
            break
    assert index >= 7


@pytest.mark.parametrize("trouble", [*FAILURES, *CRASHES])
async def test_trouble_at_any_call_leaves_the_newest_token_chargeable(trouble: Trouble) -> None:
    """What hinders the detaching of the older one is left to the next listing."""
    for index in itertools.count():
        lin = await customer()
        _, newest = await twice(lin)
        session = await lin.session()
        lin.world.processor = lin.world.start_processor()
        lin.world.network.trouble = fault = Once(index, trouble)
        try:
            answer = await lin.world.client.get(PATH, headers=session)
        except Crash:
            lin.world.processor = lin.world.start_processor()
        else:
            assert answer.status_code in (200, 503), answer.text
        assert newest in saved_at_stripe(lin)
        lin.world.network.trouble = no_trouble
        assert len(await lin.shown()) == 1
        await lin.shown()
        assert saved_at_stripe(lin) == await active(lin.world) == [newest]
        if not fault.happened:
            break
    assert index >= 9


async def test_without_the_scope_for_recurring_orders_the_older_token_stays() -> None:
    lin = await customer()
    both = await twice(lin)
    without_the_scope(lin)
    assert len(await lin.shown()) == 1
    assert sorted(saved_at_stripe(lin)) == sorted(both)


async def test_cards_without_a_fingerprint_are_never_taken_for_the_same() -> None:
    """`PaymentMethod.card.fingerprint` is Optional in Stripe's SDK."""
    lin = await customer()
    for _ in range(2):
        lin.world.stripe.methods[await lin.saves()]["card"]["fingerprint"] = None
    assert len(await lin.shown()) == 2
