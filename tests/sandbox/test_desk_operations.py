"""Money that is moved at the desk, and disputes: once, however often a form is sent."""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest

from sandbox.desk.operations import Action, Operation, Outcome, Wish, tell
from tests.sandbox.office import MANUAL, Office, hidden, text


async def test_a_refund_moves_what_was_typed(office: Office) -> None:
    payment_id = await office.world.paid(1490)
    page = await office.operate(payment_id, action="refundPayment", amount="4,90")
    assert "Refunded €4.90." in text(page).replace("\xa0", " ")
    assert ("Refund", 490, "Success") in await office.world.transactions(payment_id)


async def test_the_same_form_sent_again_and_at_once_is_the_same_operation(office: Office) -> None:
    payment_id = await office.world.paid()
    page = await office.page(payment_id)
    form = {
        "csrf": hidden(page, "csrf"),
        "key": hidden(page, "key"),
        "currency": "EUR",
        "action": "refundPayment",
        "amount": "1",
    }
    path = f"/desk/payments/{payment_id}/operations"
    asked, _ = await asyncio.gather(office.send(path, form), office.send(path, form))
    assert len(office.world.stripe.refunds) == 0
    both = await asyncio.gather(
        office.confirm(payment_id, asked), office.confirm(payment_id, asked)
    )
    await office.confirm(payment_id, asked)
    assert {answer.status_code for answer in both} == {200}
    refunds = [each for each in await office.world.transactions(payment_id) if each[0] == "Refund"]
    assert refunds == [("Refund", 100, "Success")]
    assert len(office.world.stripe.refunds) == 1


async def test_the_page_shown_again_has_another_key(office: Office) -> None:
    payment_id = await office.world.paid()
    keys = {hidden(await office.page(payment_id), "key") for _ in range(2)}
    assert len(keys) == 2


async def test_a_reload_shows_the_outcome_again_and_does_nothing(office: Office) -> None:
    payment_id = await office.world.paid()
    page = await office.operate(payment_id, action="refundPayment", amount="1")
    again = await office.browser.get(str(page.url))
    assert "Refunded" in text(again)
    assert len(office.world.stripe.refunds) == 1


async def test_what_is_no_amount_is_told_at_the_field_and_nothing_is_asked(
    office: Office,
) -> None:
    payment_id = await office.world.paid()
    page = await office.operate(payment_id, action="refundPayment", amount="lots")
    assert page.status_code == 422
    assert "Enter an amount such as 12.50" in text(page)
    assert 'value="lots"' in page.text
    assert not [each for each in office.sent if each.url.host == "processor.test"]


async def test_too_much_is_not_asked_for(office: Office) -> None:
    payment_id = await office.world.paid(1000)
    page = await office.operate(payment_id, action="refundPayment", amount="10,01")
    assert page.status_code == 422
    assert "At most €10.00 can be refunded now." in text(page)
    assert not [each for each in office.sent if each.url.host == "processor.test"]


async def test_what_has_become_too_much_is_refused_in_words(office: Office) -> None:
    payment_id = await office.world.paid(1000)
    asked = await office.ask(payment_id, action="refundPayment", amount="10")
    await office.operate(payment_id, action="refundPayment", amount="2")
    page = text(await office.confirm(payment_id, asked))
    assert "was not carried out" in page
    assert "At most €8.00 can be refunded now." in page
    assert "centAmount" not in page
    assert "No money has moved" in page


async def test_only_what_was_asked_of_this_payment_can_be_confirmed(office: Office) -> None:
    first, second = await office.world.paid(1000), await office.world.paid(1000)
    asked = await office.ask(first, action="refundPayment", amount="10")
    assert (await office.confirm(second, asked)).status_code == 404
    assert (
        "balance-then"
        not in (
            await office.browser.get(f"/desk/payments/{second}?{asked.url.query.decode()}")
        ).text
    )
    assert await office.world.transactions(second) == await office.world.transactions(first)


async def test_a_part_is_captured_and_the_rest_released() -> None:
    office = Office(MANUAL)
    await office.sign_in()
    payment_id = await office.world.paid(1000)
    page = await office.operate(payment_id, action="capturePayment", amount="6")
    assert "Captured €6.00" in text(page).replace("\xa0", " ")
    assert "commercetools and Stripe agree" in text(page)
    assert await office.world.transactions(payment_id) == [
        ("Authorization", 1000, "Success"),
        ("Charge", 600, "Success"),
        ("CancelAuthorization", 400, "Success"),
    ]


@pytest.mark.parametrize(
    ("action", "done"), [("cancelPayment", "Cancelled."), ("reversePayment", "Reversed.")]
)
async def test_what_is_only_held_can_be_given_back(action: str, done: str) -> None:
    office = Office(MANUAL)
    await office.sign_in()
    payment_id = await office.world.paid(1000)
    assert done in text(await office.operate(payment_id, action=action))
    assert ("CancelAuthorization", 1000, "Success") in await office.world.transactions(payment_id)


async def test_a_refusal_of_stripe_is_shown_with_its_reason_and_both_sides_agree(
    office: Office,
) -> None:
    payment_id = await office.world.paid(1000)
    charge = next(iter(office.world.stripe.charges))
    await office.world.at_stripe(f"charges/{charge['id']}/dispute", amount=1000)
    page = text(await office.operate(payment_id, action="refundPayment", amount="1"))
    assert "Stripe rejected the refund" in page
    assert "The cardholder&#39;s bank disputes the charge, and has the money." in page
    assert "refused it" in page


async def test_an_unknown_outcome_can_be_repeated_under_the_same_key(office: Office) -> None:
    payment_id = await office.world.paid()

    def broken(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(502, json={}) if request.url.host == "processor.test" else None

    office.instead = broken
    page = await office.operate(payment_id, action="refundPayment", amount="1")
    assert "It is not known yet whether the refund" in text(page)
    asked = office.sent[-1] if office.sent[-1].url.host == "processor.test" else None
    office.instead = lambda _: None
    key = re.search(r"operation=([\w-]+)", str(page.url))
    assert key is not None
    repeated = await office.send(
        f"/desk/payments/{payment_id}/repeat", {"csrf": hidden(page, "csrf"), "key": key[1]}
    )
    assert "Refunded" in text(repeated)
    keys = {
        request.headers["idempotency-key"]
        for request in office.sent
        if "idempotency-key" in request.headers
    }
    assert keys == {key[1]}
    assert asked is None or asked.headers["idempotency-key"] == key[1]


async def test_an_operation_of_another_payment_is_not_shown_or_repeated(office: Office) -> None:
    one, other = await office.world.paid(1000), await office.world.paid(2000)
    page = await office.operate(one, action="refundPayment", amount="1")
    assert 'id="outcome"' in page.text
    key = str(page.url).partition("operation=")[2]
    elsewhere = await office.browser.get(f"/desk/payments/{other}?operation={key}")
    assert 'id="outcome"' not in elsewhere.text
    answer = await office.send(
        f"/desk/payments/{other}/repeat", {"csrf": hidden(page, "csrf"), "key": key}
    )
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "fields", [{"action": "givePayment"}, {"action": "cancelPayment", "key": ""}]
)
async def test_a_form_that_no_page_has_is_refused(office: Office, fields: dict[str, str]) -> None:
    payment_id = await office.world.paid()
    assert (await office.operate(payment_id, **fields)).status_code == 400


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("action", list(Action))
def test_every_outcome_is_told_with_what_to_do_next(action: Action, outcome: Outcome) -> None:
    wish = Wish(key="k", payment_id="p", action=action, currency="EUR")
    told = tell(Operation(wish=wish, outcome=outcome, status=400), "1,00 €")
    assert told.headline.endswith(".")
    assert told.next.endswith(".")


async def test_a_dispute_is_opened_once_and_lost(office: Office) -> None:
    payment_id = await office.world.paid(1000)
    page = await office.page(payment_id)
    charge = next(iter(office.world.stripe.charges))
    form = {
        "csrf": hidden(page, "csrf"),
        "key": hidden(page, "key"),
        "currency": "EUR",
        "charge": charge["id"],
        "reason": "fraudulent",
        "amount": "10",
    }
    for _ in range(2):
        page = await office.send(f"/desk/payments/{payment_id}/disputes", form)
    assert len(office.world.stripe.disputes) == 1
    dispute = next(iter(office.world.stripe.disputes))
    await office.send(
        f"/desk/payments/{payment_id}/disputes/{dispute['id']}",
        {"csrf": form["csrf"], "status": "lost"},
    )
    await office.world.deliver_all()
    assert ("Chargeback", 1000, "Success") in await office.world.transactions(payment_id)
    page = await office.page(payment_id)
    assert "commercetools and Stripe agree" in text(page)
    assert "Dispute lost" in text(page)


async def test_a_dispute_that_stripe_refuses_is_told_at_the_form(office: Office) -> None:
    payment_id = await office.world.paid(1000)
    page = await office.page(payment_id)
    answer = await office.send(
        f"/desk/payments/{payment_id}/disputes",
        {
            "csrf": hidden(page, "csrf"),
            "key": "k",
            "currency": "EUR",
            "charge": "ch_of_nobody",
            "amount": "9",
        },
    )
    assert answer.status_code == 422
    assert "No such charge" in text(answer)


@pytest.mark.parametrize("path", ["disputes", "disputes/..%2F..%2Freset%3F"])
async def test_what_a_form_names_leads_to_no_other_route(office: Office, path: str) -> None:
    payment_id = await office.world.paid(1000)
    form = {"csrf": await office.csrf(), "key": "k", "charge": "../../stripe/reset?"}
    await office.send(f"/desk/payments/{payment_id}/{path}", {**form, "status": "lost"})
    assert len(office.world.stripe.charges) == 1
