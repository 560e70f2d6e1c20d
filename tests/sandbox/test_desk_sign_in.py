"""Who gets to the desk, and what keeps others out."""

from __future__ import annotations

import httpx
import pytest

from tests.sandbox.office import Office, hidden, text


@pytest.mark.parametrize(
    "path",
    ["/desk", "/desk/", "/desk/payments/x", "/desk/events", "/desk/faults", "/desk/connector"],
)
async def test_nobody_sees_anything_without_signing_in(path: str) -> None:
    office = Office()
    answer = await office.browser.get(path)
    assert answer.url.path == "/desk/sign-in"
    assert office.sent == []


@pytest.mark.parametrize(
    "path",
    [
        "/desk/payments/x/operations",
        "/desk/payments/x/confirm",
        "/desk/payments/x/repeat",
        "/desk/payments/x/disputes",
        "/desk/payments/x/disputes/dp_1",
        "/desk/events/redeliver",
        "/desk/clock",
        "/desk/faults",
        "/desk/faults/remove",
        "/desk/faults/complete",
        "/desk/sign-out",
    ],
)
async def test_every_form_needs_a_session_and_its_token(path: str) -> None:
    office = Office()
    stranger = await office.send(path, {"action": "refundPayment"})
    assert stranger.url.path == "/desk/sign-in"
    await office.sign_in()
    before = len(office.sent)
    for token in ("", "wrong", "0" * 64):
        assert (await office.send(path, {"csrf": token, "key": "k"})).status_code == 403
    assert len(office.sent) == before


async def test_a_form_of_one_session_is_worth_nothing_in_another(office: Office) -> None:
    stolen = await office.csrf()
    office.browser = office.new_browser()
    await office.sign_in(name="Mallory")
    answer = await office.send("/desk/faults/remove", {"csrf": stolen})
    assert answer.status_code == 403


async def test_another_sites_form_is_refused_whatever_it_carries(office: Office) -> None:
    answer = await office.browser.post(
        "/desk/faults/remove",
        data={"csrf": await office.csrf()},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status_code == 403


async def test_the_sign_in_form_is_bound_to_the_browser_that_it_was_shown_to() -> None:
    office = Office()
    page = await office.browser.get("/desk/sign-in")
    other = office.new_browser()
    answer = await other.post("/desk/sign-in", data={"csrf": hidden(page, "csrf"), "name": "Grace"})
    assert answer.status_code == 403


async def test_the_cookie_is_signed_and_kept_from_scripts_and_other_sites() -> None:
    office = Office()
    page = await office.browser.get("/desk/sign-in")
    before = office.browser.cookies["desk"]
    answer = await office.browser.post(
        "/desk/sign-in",
        data={"csrf": hidden(page, "csrf"), "name": "Grace"},
        follow_redirects=False,
    )
    given = answer.headers["set-cookie"]
    for attribute in ("HttpOnly", "SameSite=strict", "Path=/desk"):
        assert attribute in given
    key, _, signature = office.browser.cookies["desk"].partition(".")
    assert key != before.partition(".")[0], "a session must not begin under a key known before"
    office.browser.cookies.clear()
    office.browser.cookies.set("desk", f"{key}.{signature[::-1]}")
    assert (await office.browser.get("/desk/events")).url.path == "/desk/sign-in"


async def test_no_token_ever_reaches_the_browser(office: Office) -> None:
    payment_id = await office.world.paid()
    seen = [(await office.operate(payment_id, action="refundPayment", amount="1")).text]
    for path in ("/desk/", f"/desk/payments/{payment_id}", "/desk/connector", "/desk/events"):
        answer = await office.browser.get(path)
        seen.append(answer.text + str(answer.headers))
    tokens = {
        request.headers["authorization"].partition(" ")[2]
        for request in office.sent
        if request.headers.get("authorization", "").startswith("Bearer")
    }
    assert len(tokens) == 4, "the Merchant Center's, Checkout's, the desk's, and Stripe's key"
    assert not [token for token in tokens for page in seen if token in page]


async def test_each_identity_is_used_for_what_it_is_for(office: Office) -> None:
    payment_id = await office.world.paid()
    await office.operate(payment_id, action="refundPayment", amount="1")
    page = text(await office.browser.get("/desk/connector"))
    by_path = {
        request.url.path: request.headers["authorization"]
        for request in office.sent
        if request.url.host == "processor.test"
    }
    assert by_path["/operations/status"] == by_path["/operations/payment-components"]
    assert by_path["/operations/status"].count(".") == 2, "that is a JWT"
    assert by_path[f"/operations/payment-intents/{payment_id}"].count(".") == 0
    assert f"Checkout (sandbox-checkout) POST /operations/payment-intents/{payment_id} 200" in page
    assert "Merchant Center (Grace) GET /operations/status 200" in page


async def test_a_token_that_has_expired_is_renewed_without_a_word(office: Office) -> None:
    payment_id = await office.world.paid()
    office.world.store.tokens.revoke()
    office.world._tokens.clear()
    page = await office.operate(payment_id, action="refundPayment", amount="1")
    assert "Refunded €1.00" in text(page).replace("\xa0", " ")


async def test_signing_in_fails_in_words_where_no_token_is_to_be_had() -> None:
    office = Office()

    def away(request: httpx.Request) -> None:
        if request.url.host == "jwt.test":
            raise httpx.ConnectError("refused")

    office.instead = away
    answer = await office.sign_in()
    assert answer.status_code == 503
    assert "The Merchant Center's token issuer cannot be reached" in text(answer).replace(
        "&#39;", "'"
    )


async def test_after_signing_out_the_session_is_gone(office: Office) -> None:
    kept = office.browser.cookies["desk"]
    await office.send("/desk/sign-out", {"csrf": await office.csrf()})
    office.browser.cookies.set("desk", kept, domain="shop.test", path="/desk")
    assert (await office.browser.get("/desk/events")).url.path == "/desk/sign-in"


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/desk/events?page=2", "/desk/events"),
        ("https://elsewhere.test/desk/", "/desk/"),
        ("//elsewhere.test", "/desk/"),
        ("/desk//elsewhere.test", "/desk/"),
        ("/order/1", "/desk/"),
    ],
)
async def test_signing_in_leads_nowhere_but_to_the_desk(wanted: str, reached: str) -> None:
    answer = await Office().sign_in(next=wanted)
    assert (answer.url.host, answer.url.path) == ("shop.test", reached)


async def test_a_very_long_name_is_refused() -> None:
    assert (await Office().sign_in(name="x" * 61)).status_code == 422


async def test_pages_allow_nothing_inline_and_nothing_from_elsewhere(office: Office) -> None:
    policy = (await office.browser.get("/desk/")).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
