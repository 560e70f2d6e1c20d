"""The hosted payment page, as a shopper's browser without scripts uses it."""

from __future__ import annotations

import asyncio
import html
import re
from html.parser import HTMLParser

import httpx
import pytest
from starlette.requests import Request

from sandbox.stripe import checkout_pages
from sandbox.stripe.form_texts import FORM_TEXTS
from tests.sandbox.stripe_account import START, Account, Json
from tests.sandbox.stripe_checkout import (
    CANCEL_URL,
    CARD,
    CHALLENGED,
    DEBIT,
    DECLINED,
    HALF_AN_HOUR,
    SESSIONS,
    SUCCESS_URL,
    Shopper,
    current,
    expired,
    line,
    opened,
    shipping,
)

ARRIVED = SUCCESS_URL.replace("{CHECKOUT_SESSION_ID}", "{}")


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def shopper(account: Account) -> Shopper:
    return Shopper(account)


class Page(HTMLParser):
    """What matters of a page: its alert, links, field labels, and inline scripts or styles."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.alert = ""
        self.links: set[str | None] = set()
        self.labelled: set[str | None] = set()
        self.fields: dict[str | None, str | None] = {}
        self.inline: list[str] = []
        self._in_alert = False
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._in_alert = given.get("role") == "alert" or (self._in_alert and tag != "form")
        if tag == "a":
            self.links.add(given.get("href"))
        if tag == "label":
            self.labelled.add(given.get("for"))
        if tag == "input":
            self.fields[given.get("id")] = given.get("aria-describedby")
        if tag == "style" or (tag == "script" and "src" not in given):
            self.inline.append(tag)
        self.inline += [name for name in given if name == "style" or name.startswith("on")]

    def handle_endtag(self, tag: str) -> None:
        self._in_alert = self._in_alert and tag != "div"

    def handle_data(self, data: str) -> None:
        if self._in_alert:
            self.alert += data.strip()


async def test_the_page_shows_the_order_and_a_labelled_form(
    account: Account, shopper: Shopper
) -> None:
    session = await opened(account, line(1250, 2), shipping(490))
    answer = await shopper.open(session["url"])
    page = Page(answer)

    assert answer.status_code == 200
    for shown in (
        "Mug 0",
        "2 \N{MULTIPLICATION SIGN} €12.50",
        "€25.00",
        "€4.90",
        "€29.90",
        "TEST MODE",
    ):
        assert shown in answer.text
    assert CANCEL_URL in page.links
    assert set(page.fields) == page.labelled
    assert not page.alert


async def test_the_page_allows_no_inline_script_and_has_none(
    account: Account, shopper: Shopper
) -> None:
    answer = await shopper.open((await opened(account))["url"])
    policy = answer.headers["content-security-policy"]

    assert Page(answer).inline == []
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["cache-control"] == "no-store"
    for asset in ("checkout.css", "checkout.js"):
        assert (await shopper.open(f"/c/assets/{asset}")).status_code == 200
    assert (await shopper.open("/c/assets/base.html")).status_code == 404


@pytest.mark.parametrize(
    ("currency", "amount", "shown"),
    [("jpy", 1250, "¥1,250"), ("kwd", 12500, "12.500"), ("isk", 125000, "1,250")],
)
async def test_totals_have_the_digits_of_the_currency(
    account: Account, shopper: Shopper, currency: str, amount: int, shown: str
) -> None:
    session = await opened(account, line(amount, currency=currency))

    assert shown in (await shopper.open(session["url"])).text


async def test_amounts_are_written_in_the_language_of_the_session(
    account: Account, shopper: Shopper
) -> None:
    session = await opened(account, locale="de")

    assert "10,00\xa0€" in (await shopper.open(session["url"])).text


async def test_names_of_products_are_text_and_never_markup(
    account: Account, shopper: Shopper
) -> None:
    name = {"line_items[0][price_data][product_data][name]": "<b>Mug</b>"}
    session = await opened(account, {**line(1000), **name})

    assert "<b>" not in (await shopper.open(session["url"])).text


async def test_a_paid_card_leads_to_the_success_page(account: Account, shopper: Shopper) -> None:
    session = await opened(account)
    answer = await shopper.submit(session, CARD)
    paid = await current(account, session, "payment_intent.payment_method")

    assert (answer.status_code, answer.headers["location"]) == (303, ARRIVED.format(session["id"]))
    assert paid["payment_status"] == "paid"
    assert paid["customer_details"]["email"] == "ada@example.com"
    method = paid["payment_intent"]["payment_method"]
    assert method["billing_details"]["name"] == "Ada Lovelace"


async def test_a_decline_is_shown_in_place_and_another_card_is_taken(
    account: Account, shopper: Shopper
) -> None:
    session = await opened(account)
    declined = await shopper.submit(session, {**CARD, "number": DECLINED})
    between = await current(account, session)
    again = await shopper.open(session["url"])
    paid = await shopper.submit(session, CARD)

    assert declined.status_code == 402
    assert "Your card was declined." in Page(declined).alert
    assert "Your card was declined." in Page(again).alert
    assert 'value="ada@example.com"' in declined.text
    assert f'value="{DECLINED}"' not in declined.text
    assert (between["status"], between["payment_status"]) == ("open", "unpaid")
    assert paid.headers["location"] == ARRIVED.format(session["id"])
    assert account.types().count("checkout.session.completed") == 1


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("email", "ada", 422),
        ("number", "4242", 422),
        ("number", "4242 4242 4242 4241", 402),
        ("expiry", "soon", 422),
        ("expiry", "13 / 34", 402),
        ("expiry", "01 / 20", 402),
        ("cvc", "", 422),
        ("cvc", "1234", 402),
        ("name", " ", 422),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_is_tried(
    account: Account, shopper: Shopper, field: str, value: str, status: int
) -> None:
    session = await opened(account)
    answer = await shopper.submit(session, {**CARD, field: value})
    page = Page(answer)

    assert answer.status_code == status
    assert page.alert
    assert page.fields[field] == f"{field}-problem"
    assert (await current(account, session))["payment_intent"] is None


async def test_a_wrong_iban_is_noticed(account: Account, shopper: Shopper) -> None:
    session = await opened(account)
    answer = await shopper.submit(session, {**DEBIT, "iban": "DE88370400440532013000"})

    assert answer.status_code == 422
    assert Page(answer).fields["iban"] == "iban-problem"


async def test_a_method_is_chosen_from_those_that_are_offered(
    account: Account, shopper: Shopper
) -> None:
    dollars = await opened(account, line(1000, currency="usd"))
    page = await shopper.open(dollars["url"])
    answer = await shopper.submit(dollars, DEBIT)

    assert "SEPA" not in page.text
    assert answer.status_code == 422
    assert (await current(account, dollars))["payment_intent"] is None


async def test_submitting_twice_pays_once(account: Account, shopper: Shopper) -> None:
    session = await opened(account)
    answers = await asyncio.gather(*(shopper.submit(session, CARD) for _ in range(3)))

    assert {each.headers["location"] for each in answers} == {ARRIVED.format(session["id"])}
    assert len((await account.get("/v1/charges"))["data"]) == 1


async def challenged(account: Account, shopper: Shopper) -> tuple[Json, str]:
    """A session whose card waits for the bank, and where."""
    session = await opened(account)
    answer = await shopper.submit(session, {**CARD, "number": CHALLENGED})
    return session, answer.headers["location"]


async def test_a_passed_challenge_pays(account: Account, shopper: Shopper) -> None:
    session, challenge = await challenged(account, shopper)
    reloaded = await shopper.open(session["url"])
    page = await shopper.open(challenge)
    answer = await shopper.answer(challenge, "succeed")
    again = await shopper.answer(challenge, "fail")

    assert challenge.startswith(f"{account.state.public_url}/redirect/authenticate/pi_")
    assert reloaded.headers["location"] == challenge
    assert "€10.00" in page.text
    for each in (answer, again):
        assert each.headers["location"] == ARRIVED.format(session["id"])
    assert (await current(account, session))["payment_status"] == "paid"


async def test_a_failed_challenge_leads_back_to_the_form(
    account: Account, shopper: Shopper
) -> None:
    session, challenge = await challenged(account, shopper)
    answer = await shopper.answer(challenge, "fail")
    back = await shopper.open(answer.headers["location"])
    paid = await shopper.submit(session, CARD)

    assert answer.headers["location"] == session["url"]
    assert "You did not confirm the payment" in Page(back).alert
    assert "Nothing was charged." in Page(back).alert
    assert paid.headers["location"] == ARRIVED.format(session["id"])


async def test_a_challenge_is_for_those_who_know_the_secret(
    account: Account, shopper: Shopper
) -> None:
    session, challenge = await challenged(account, shopper)
    answer = await shopper.answer(challenge.partition("?")[0], "succeed")

    assert answer.status_code == 404
    assert (await current(account, session))["status"] == "open"


@pytest.mark.parametrize(("outcome", "said"), [("succeed", "succeeded"), ("fail", "failed")])
async def test_an_intent_without_a_session_returns_to_its_own_address(
    account: Account, shopper: Shopper, outcome: str, said: str
) -> None:
    intent = await account.paid("pm_card_authenticationRequired")
    challenge = intent["next_action"]["redirect_to_url"]["url"]
    await shopper.open(challenge)
    answer = await shopper.answer(challenge, outcome)
    again = await shopper.open(challenge)

    assert answer.headers["location"] == (
        f"https://shop.example/return?payment_intent={intent['id']}"
        f"&payment_intent_client_secret={intent['client_secret']}&redirect_status={said}"
    )
    assert again.status_code == 200


@pytest.mark.parametrize(
    ("outcome", "title"), [("succeed", "already paid"), ("fail", "did not succeed")]
)
async def test_a_debit_is_processed_and_settled_later(
    account: Account, shopper: Shopper, outcome: str, title: str
) -> None:
    session = await opened(account)
    answer = await shopper.submit(session, DEBIT)
    waiting = await shopper.open(session["url"])
    intent = (await current(account, session))["payment_intent"]
    await account.admin(f"stripe/payment_intents/{intent}/settle", outcome=outcome)
    settled = await shopper.open(session["url"])

    assert answer.headers["location"] == ARRIVED.format(session["id"])
    assert "being processed" in waiting.text
    assert title in settled.text


async def test_a_bank_redirect_is_confirmed_on_the_banks_page(
    account: Account, shopper: Shopper
) -> None:
    session = await opened(account)
    answer = await shopper.submit(session, {"email": "ada@example.com", "method": "ideal"})
    done = await shopper.answer(answer.headers["location"], "succeed")

    assert done.headers["location"] == ARRIVED.format(session["id"])


async def test_a_paid_session_leads_back_to_the_shop(account: Account, shopper: Shopper) -> None:
    session = await opened(account)
    await shopper.submit(session, CARD)
    answer = await shopper.open(session["url"])

    assert "already paid" in answer.text
    assert Page(answer).links == {ARRIVED.format(session["id"])}


async def test_an_expired_session_leads_back_and_takes_no_payment(
    account: Account, shopper: Shopper
) -> None:
    session = await opened(account, expires_at=START + HALF_AN_HOUR)
    account.clock.advance(HALF_AN_HOUR)
    submitted = await shopper.submit(session, CARD)
    answer = await shopper.open(session["url"])

    assert submitted.headers["location"] == session["url"]
    assert "expired" in answer.text
    assert Page(answer).links == {CANCEL_URL}
    assert (await account.get("/v1/charges"))["data"] == []


def contrast(one: str, other: str) -> float:
    """The ratio of the luminances of two colours (WCAG 2.2)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (
            each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


async def test_text_can_be_read_in_light_and_in_dark(shopper: Shopper) -> None:
    styles = (await shopper.open("/c/assets/checkout.css")).text
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#\w{6});", block))
        for block in re.findall(r":root \{(.+?)\}", styles, re.DOTALL)
    )

    assert light.keys() == dark.keys()
    for colours in (light, dark):
        for text in ("ink", "muted", "accent", "danger"):
            for ground in ("paper", "wash"):
                assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
        for text, ground in (
            ("on-accent", "accent"),
            ("on-accent", "accent-strong"),
            ("danger", "danger-wash"),
            ("badge", "badge-wash"),
            ("muted", "line"),
        ):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
        for edge in ("field-line", "focus"):
            assert contrast(colours[edge], colours["paper"]) >= 3, edge


async def test_a_session_that_does_not_exist_has_a_page_that_says_so(shopper: Shopper) -> None:
    for path in ("/c/pay/cs_test_none", "/c/recover/cs_test_none", "/redirect/authenticate/pi_0"):
        answer = await shopper.open(path)
        assert answer.status_code == 404
        assert "does not exist" in answer.text


async def test_the_chosen_shipping_is_what_is_paid(account: Account, shopper: Shopper) -> None:
    session = await opened(account, line(1000), shipping(490), shipping(1290, 1))
    express = session["shipping_options"][1]["shipping_rate"]
    await shopper.submit(session, {**CARD, "shipping_rate": express})
    paid = await current(account, session, "payment_intent")

    assert (session["amount_total"], paid["amount_total"]) == (1490, 2290)
    assert paid["payment_intent"]["amount_received"] == 2290


async def test_an_address_that_the_shop_knows_cannot_be_changed(
    account: Account, shopper: Shopper
) -> None:
    session = await opened(account, customer_email="grace@example.com")
    page = await shopper.open(session["url"])
    await shopper.submit(session, CARD)

    assert "email" not in Page(page).fields
    assert (await current(account, session))["customer_details"]["email"] == "grace@example.com"


async def test_nothing_due_needs_no_card(account: Account, shopper: Shopper) -> None:
    session = await opened(account, line(0))
    page = await shopper.open(session["url"])
    answer = await shopper.submit(session, {"email": "ada@example.com"})

    assert "number" not in Page(page).fields
    assert answer.headers["location"] == ARRIVED.format(session["id"])
    assert (await current(account, session))["payment_status"] == "no_payment_required"


async def test_an_expired_session_can_be_recovered_where_that_was_asked_for(
    account: Account, shopper: Shopper
) -> None:
    session = await opened(account, **{"after_expiration[recovery][enabled]": "true"})
    gone = await expired(account, session)
    answer = await shopper.open(gone["after_expiration"]["recovery"]["url"])
    fresh = (await account.get(SESSIONS, status="open"))["data"][0]

    assert answer.headers["location"] == fresh["url"]
    assert (fresh["recovered_from"], fresh["amount_total"]) == (session["id"], 1000)


async def test_an_embedded_page_can_be_framed_and_takes_the_whole_page_back(
    account: Account, shopper: Shopper
) -> None:
    own_page = {"mode": "payment", "ui_mode": "embedded_page"}
    session = await account.post(SESSIONS, **own_page, **line(1000), return_url=SUCCESS_URL)
    page = await shopper.open(f"/c/pay/{session['id']}")
    answer = await shopper.submit(session, CARD)

    assert "frame-ancestors *" in page.headers["content-security-policy"]
    assert answer.status_code == 200
    assert Page(answer).links == {ARRIVED.format(session["id"])}


@pytest.mark.parametrize(
    ("locale", "title", "answer", "expired_title"),
    [
        ("de", "Zahlung von 10,00\xa0€ bestätigen", "Zahlung ablehnen", "abgelaufen"),
        ("fr", "Confirmer votre paiement de", "Refuser le paiement", "a expiré"),
        ("es", "Confirme su pago de", "Rechazar el pago", "ha caducado"),
        ("it", "Confermi il pagamento di", "Rifiutare il pagamento", "è scaduta"),
        ("nl", "Bevestig uw betaling van", "Betaling weigeren", "is verlopen"),
        ("sv", "Confirm your payment of", "Reject payment", "has expired"),
    ],
)
async def test_the_bank_and_the_end_speak_the_language_of_the_session(
    account: Account, shopper: Shopper, locale: str, title: str, answer: str, expired_title: str
) -> None:
    session = await opened(account, locale=locale)
    submitted = await shopper.submit(session, {**CARD, "number": "4000000000003220"})
    asked = (await shopper.open(submitted.headers["location"])).text
    assert f'<html lang="{"en" if locale == "sv" else locale}">' in asked
    assert title in asked
    assert answer in asked
    over = await opened(account, locale=locale)
    await expired(account, over)
    assert expired_title in (await shopper.open(over["url"])).text


LANGUAGES = ("en", "de", "fr", "es", "it", "nl")
NOTHING = {
    "en": "Nothing was charged.",
    "de": "Es wurde nichts abgebucht.",
    "fr": "Rien n'a été débité.",
    "es": "No se le ha cobrado nada.",
    "it": "Non è stato addebitato nulla.",
    "nl": "Er is niets afgeschreven.",
}
TWICE = {
    "en": "not pay twice",
    "de": "zahlen nicht doppelt",
    "fr": "ne paierez pas deux fois",
    "es": "no pagará dos veces",
    "it": "non pagherà due volte",
    "nl": "betaalt niet dubbel",
}
"""How each language says that nothing was charged, and that a repetition charges nothing more."""


def test_every_language_says_all_with_the_same_values() -> None:
    def values(text: str) -> list[str]:
        return sorted(re.findall(r"\{\w*\}", text))

    assert tuple(FORM_TEXTS) == LANGUAGES
    english = FORM_TEXTS["en"]
    for language, texts in FORM_TEXTS.items():
        assert texts.keys() == english.keys()
        for name, text in texts.items():
            assert values(text) == values(english[name]), f"{language}: {name}"
        for name in ("mistake", "mistakes", "refused", "offline", "rejected"):
            assert NOTHING[language] in texts[name], f"{language}: {name}"
        for name in ("unknown", "slow", "down"):
            assert TWICE[language] in texts[name], f"{language}: {name}"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_form_speaks_the_language_of_the_session(
    account: Account, shopper: Shopper, language: str
) -> None:
    session = await opened(account, line(1000), shipping(490), locale=language)
    texts = FORM_TEXTS[language]
    page = html.unescape((await shopper.open(session["url"])).text)
    assert f'<html lang="{language}">' in page
    for name in ("amount_due", "contact", "methods", "number", "expiry", "cvc", "checking"):
        assert texts[name] in page, name
    if language != "en":
        for name in ("methods", "number", "expiry", "cvc", "stand_in"):
            assert FORM_TEXTS["en"][name] not in page

    mistaken = html.unescape((await shopper.submit(session, {**CARD, "cvc": ""})).text)
    assert texts["mistake"] in mistaken
    assert texts["wrong_cvc"] in mistaken
    poor = await shopper.submit(session, {**CARD, "number": "4000 0000 0000 9995"})
    said = html.unescape(poor.text)
    assert texts["refused"].format(reason=texts["insufficient_funds"]) in said
    assert NOTHING[language] in said
    challenge = await shopper.submit(session, {**CARD, "number": CHALLENGED})
    await shopper.answer(challenge.headers["location"], "fail")
    back = html.unescape((await shopper.open(session["url"])).text)
    rejected = texts["payment_intent_authentication_failure"]
    assert texts["refused"].format(reason=rejected) in back


async def test_a_script_is_told_where_to_go_and_whether_it_is_paid(
    account: Account, shopper: Shopper
) -> None:
    async def submitted(session: Json, form: Json) -> Json:
        answer = await shopper.submit(session, form, by_script=True)
        assert answer.status_code == 200
        return dict(answer.json())

    session = await opened(account)
    asked = await submitted(session, {**CARD, "number": CHALLENGED})
    assert "/redirect/authenticate/" in asked["location"]
    assert asked["paid"] is False
    await shopper.answer(asked["location"], "fail")
    paid = {"location": ARRIVED.format(session["id"]), "paid": True, "whole": False}
    assert await submitted(session, CARD) == paid
    assert await submitted(session, CARD) == paid
    debit = await opened(account)
    assert (await submitted(debit, DEBIT))["paid"] is False
    refused = await shopper.submit(await opened(account), {**CARD, "cvc": ""}, by_script=True)
    assert refused.status_code == 422
    assert refused.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("language", LANGUAGES)
def test_while_stripe_fails_its_pages_say_what_to_do(account: Account, language: str) -> None:
    headers = [(b"accept", b"text/html,*/*"), (b"accept-language", f"{language}-XX".encode())]
    scope = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "server": ("stripe.example", 80),
        "path": "/c/pay/cs_test_1",
        "query_string": b"",
        "headers": headers,
    }
    answer = checkout_pages.down(account.state)(Request(scope), 503)
    said = html.unescape(bytes(answer.body).decode())
    assert answer.status_code == 503
    assert FORM_TEXTS[language]["down"] in said
    assert 'href="/c/pay/cs_test_1"' in said
