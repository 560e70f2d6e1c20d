"""Authentication, versions, parameters, lists and errors, the same on all routes."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import httpx
import pytest

from sandbox.clock import SandboxClock
from sandbox.stripe.forms import decode
from tests.sandbox.stripe_account import RETURN_URL, Account


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Bearer sk_test_sandbox", 200),
        ("Bearer rk_test_sandbox", 200),
        (f"Basic {base64.b64encode(b'sk_test_sandbox:').decode()}", 200),
        ("Bearer sk_test_other", 401),
        ("Bearer sk_live_sandbox", 401),
        ("Basic %%%", 401),
        ("Bearer pk_test_sandbox", 401),
        ("", 401),
    ],
)
async def test_only_the_accounts_secret_keys_open_it(
    account: Account, authorization: str, status: int
) -> None:
    response = await account.call("GET", "/v1/customers", headers={"authorization": authorization})
    assert response.status_code == status
    if status == 401:
        assert response.json()["error"]["type"] == "invalid_request_error"


async def test_an_invalid_key_is_not_repeated_in_the_answer(account: Account) -> None:
    response = await account.call(
        "GET", "/v1/customers", headers={"authorization": "Bearer sk_test_very_secret"}
    )
    assert "very_secret" not in response.text


async def test_a_browser_sees_an_intent_only_with_its_client_secret(account: Account) -> None:
    intent = await account.intent(**{"metadata[order]": "7"})
    browser = {"authorization": "Bearer pk_test_sandbox"}
    path = f"/v1/payment_intents/{intent['id']}"

    without = await account.call("GET", path, headers=browser)
    wrong = await account.call("GET", path, {"client_secret": "x"}, headers=browser)
    right = await account.call(
        "GET", path, {"client_secret": intent["client_secret"]}, headers=browser
    )

    assert (without.status_code, wrong.status_code, right.status_code) == (400, 401, 200)
    assert right.json()["status"] == "requires_payment_method"
    assert "metadata" not in right.json()


async def test_a_browser_can_confirm_but_not_capture(account: Account) -> None:
    intent = await account.intent(capture_method="manual")
    browser = {"authorization": "Bearer pk_test_sandbox"}
    path = f"/v1/payment_intents/{intent['id']}"
    secret = {"client_secret": intent["client_secret"]}

    confirmed = await account.call(
        "POST", f"{path}/confirm", {**secret, "payment_method": "pm_card_visa"}, headers=browser
    )
    captured = await account.call("POST", f"{path}/capture", {}, headers=browser)

    assert confirmed.json()["status"] == "requires_capture"
    assert captured.status_code == 401
    assert captured.json()["error"]["code"] == "secret_key_required"


@pytest.mark.parametrize(
    ("version", "status"),
    [("2026-10-28.endive", 200), ("2025-03-31.basil", 200), ("2031-01-01.zinnia", 400)],
)
async def test_known_versions_are_echoed_and_unknown_ones_refused(
    account: Account, version: str, status: int
) -> None:
    response = await account.call("GET", "/v1/customers", headers={"stripe-version": version})
    assert response.status_code == status
    assert response.headers.get("stripe-version") == (version if status == 200 else None)
    assert response.headers["request-id"].startswith("req_")


@pytest.mark.parametrize(
    ("data", "code", "param"),
    [
        ({"amount": 100}, "parameter_missing", "currency"),
        ({"currency": "eur"}, "parameter_missing", "amount"),
        ({"amount": "1.5", "currency": "eur"}, "parameter_invalid_integer", "amount"),
        ({"amount": 100, "currency": "eur", "colour": "red"}, "parameter_unknown", "colour"),
        (
            {"amount": 100, "currency": "eur", "payment_method_options[card][shiny]": 1},
            "parameter_unknown",
            "payment_method_options[card][shiny]",
        ),
        (
            {"amount": 100, "currency": "eur", "payment_method_types[]": "card"},
            "payment_method_types_no_longer_supported",
            "payment_method_types",
        ),
        ({"amount": 100, "currency": "zzz"}, None, "currency"),
        ({"amount": 100, "currency": "eur", "customer": "cus_1"}, "resource_missing", "customer"),
        ({"amount": 100, "currency": "eur", "confirm": "yes"}, None, "confirm"),
        ({"amount": 100, "currency": "eur", "capture_method": "later"}, None, "capture_method"),
        ({"amount": 100, "currency": "eur", "off_session": "true"}, None, "off_session"),
        ({"amount": 100, "currency": "eur", "expand[]": "colour"}, None, "expand"),
        ({"amount": 100, "currency": "eur", "metadata[k]": "v" * 501}, None, "metadata[k]"),
    ],
)
async def test_bad_parameters_are_refused_by_name_and_create_nothing(
    account: Account, data: dict[str, object], code: str | None, param: str
) -> None:
    error = await account.refused("/v1/payment_intents", data)

    assert (error["type"], error.get("code"), error["param"]) == (
        "invalid_request_error",
        code,
        param,
    )
    assert len(account.state.intents) == 0
    assert account.state.events == []


async def test_older_versions_still_take_payment_method_types(account: Account) -> None:
    response = await account.call(
        "POST",
        "/v1/payment_intents",
        {"amount": 100, "currency": "eur", "payment_method_types[]": "card"},
        headers={"stripe-version": "2026-08-26.dahlia"},
    )
    assert response.json()["payment_method_types"] == ["card"]


@pytest.mark.parametrize(
    ("method", "path", "message"),
    [
        ("GET", "/v1/payment_intents/pi_none", "No such payment_intent: 'pi_none'"),
        ("GET", "/v1/charges/ch_none", "No such charge: 'ch_none'"),
        ("GET", "/v1/nothing", "Unrecognized request URL (GET: /v1/nothing)."),
        ("DELETE", "/v1/refunds", "Unrecognized request URL (DELETE: /v1/refunds)."),
    ],
)
async def test_what_does_not_exist_is_404_in_stripes_shape(
    account: Account, method: str, path: str, message: str
) -> None:
    response = await account.call(method, path)
    assert response.status_code == 404
    assert response.json()["error"]["message"] == message


@pytest.mark.parametrize(
    ("encoded", "form"),
    [
        ("a=1&b=", {"a": "1", "b": ""}),
        ("a[b]=1&a[c][d]=2", {"a": {"b": "1", "c": {"d": "2"}}}),
        ("a[]=1&a[]=2", {"a": {"0": "1", "1": "2"}}),
        ("a[0]=1&a[1]=2", {"a": {"0": "1", "1": "2"}}),
        ("a[0][b]=1&a[1][b]=2", {"a": {"0": {"b": "1"}, "1": {"b": "2"}}}),
        ("a%5Bb%5D=%C3%A4+%26", {"a": {"b": "ä &"}}),
    ],
)
def test_bracketed_forms_are_decoded(encoded: str, form: dict[str, object]) -> None:
    assert decode(encoded) == form


async def test_metadata_are_merged_and_forgotten_key_by_key(account: Account) -> None:
    intent = await account.intent(**{"metadata[a]": "1", "metadata[b]": "2"})
    path = f"/v1/payment_intents/{intent['id']}"

    merged = await account.post(path, **{"metadata[b]": "", "metadata[c]": "3"})
    cleared = await account.post(path, metadata="")

    assert merged["metadata"] == {"a": "1", "c": "3"}
    assert cleared["metadata"] == {}


async def test_lists_are_paged_newest_first_in_both_directions(account: Account) -> None:
    ids = [(await account.intent())["id"] for _ in range(5)]
    newest = ids[::-1]

    first = await account.get("/v1/payment_intents", limit=2)
    second = await account.get("/v1/payment_intents", limit=2, starting_after=newest[1])
    last = await account.get("/v1/payment_intents", limit=2, starting_after=newest[3])
    back = await account.get("/v1/payment_intents", limit=2, ending_before=newest[4])

    assert [[each["id"] for each in page["data"]] for page in (first, second, last, back)] == [
        newest[:2],
        newest[2:4],
        newest[4:],
        newest[2:4],
    ]
    assert [page["has_more"] for page in (first, second, last, back)] == [True, True, False, True]


async def test_lists_are_filtered_by_time_and_customer(account: Account) -> None:
    customer = await account.customer()
    await account.intent()
    account.clock.advance(100)
    newer = await account.intent(customer=customer["id"])

    by_time = await account.get("/v1/payment_intents", **{"created[gte]": newer["created"]})
    by_customer = await account.get("/v1/payment_intents", customer=customer["id"])

    assert [each["id"] for each in by_time["data"]] == [newer["id"]]
    assert [each["id"] for each in by_customer["data"]] == [newer["id"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("metadata['order']:'7'", 1),
        ('metadata["order"]:"7" AND status:"succeeded"', 1),
        ("metadata['order']:'7' AND status:'canceled'", 0),
        ("status:'canceled' OR amount>500", 2),
        ("-metadata['order']:'7'", 1),
        ("metadata['order']:null", 1),
    ],
)
async def test_searches_find_by_metadata_and_fields(
    account: Account, query: str, found: int
) -> None:
    await account.paid(**{"metadata[order]": "7"})
    await account.paid()

    answer = await account.get("/v1/payment_intents/search", query=query)

    assert answer["object"] == "search_result"
    assert len(answer["data"]) == found


@pytest.mark.parametrize("query", ["", "amount", "a:'1' AND b:'2' OR c:'3'"])
async def test_a_search_that_cannot_be_parsed_is_refused(account: Account, query: str) -> None:
    response = await account.call("GET", "/v1/payment_intents/search", {"query": query})
    assert response.status_code == 400


async def test_a_search_may_lag_behind() -> None:
    account = Account(search_seconds=60)
    await account.customer(**{"metadata[id]": "7"})

    early = await account.get("/v1/customers/search", query="metadata['id']:'7'")
    account.clock.advance(60)
    later = await account.get("/v1/customers/search", query="metadata['id']:'7'")

    assert (len(early["data"]), len(later["data"])) == (0, 1)


async def test_expansion_puts_objects_in_the_place_of_ids(account: Account) -> None:
    intent = await account.paid()
    path = f"/v1/payment_intents/{intent['id']}"

    plain = await account.get(path)
    expanded = await account.get(
        path, **{"expand[]": ["latest_charge.balance_transaction", "payment_method"]}
    )
    listed = await account.get("/v1/payment_intents", **{"expand[]": "data.latest_charge"})

    assert plain["latest_charge"] == intent["latest_charge"]
    assert expanded["latest_charge"]["balance_transaction"]["net"] == 1000 - 59
    assert expanded["payment_method"]["card"]["last4"] == "4242"
    assert listed["data"][0]["latest_charge"]["id"] == intent["latest_charge"]


async def test_reset_forgets_everything_and_repeats_its_ids(account: Account) -> None:
    first = await account.paid()
    await account.admin("stripe/reset")

    assert (await account.call("GET", f"/v1/payment_intents/{first['id']}")).status_code == 404
    assert account.state.events == []
    assert (await account.paid())["id"] != ""
    assert Account().state.new_id("pi") == Account().state.new_id("pi")


async def test_the_clock_is_moved_over_http(account: Account) -> None:
    before = (await account.client.get("/_sandbox/clock")).json()["now"]
    after = (await account.admin("clock", advance=90))["now"]
    backwards = await account.client.post("/_sandbox/clock", json={"advance": -1})

    assert after - before == 90
    assert backwards.status_code == 400


async def test_a_clock_that_goes_wrong_is_seen_by_others_alone(account: Account) -> None:
    before, outside = account.state.clock.time(), account.state.clock.outside()
    await account.admin("clock/skew", seconds=-400)
    assert account.state.clock.outside() == outside - 400
    assert account.state.clock.time() == before
    await account.admin("clock/skew", seconds=0)
    assert account.state.clock.outside() == outside


async def test_other_origins_may_call_as_stripe_js_does(account: Account) -> None:
    response = await account.client.options(
        "/v1/confirmation_tokens",
        headers={
            "origin": "http://shop.test",
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization",
        },
    )
    assert response.status_code == httpx.codes.OK
    assert response.headers["access-control-allow-origin"] == "*"


async def test_confirming_from_a_server_needs_a_return_url_where_methods_may_redirect(
    account: Account,
) -> None:
    card = {"amount": 100, "currency": "eur", "payment_method": "pm_card_visa", "confirm": "true"}

    error = await account.refused("/v1/payment_intents", card)
    with_url = await account.post("/v1/payment_intents", **card, return_url=RETURN_URL)
    without_redirects = await account.post(
        "/v1/payment_intents",
        **card,
        **{
            "automatic_payment_methods[enabled]": "true",
            "automatic_payment_methods[allow_redirects]": "never",
        },
    )

    assert error["param"] == "return_url"
    assert with_url["status"] == without_redirects["status"] == "succeeded"


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("/v1/payment_intents", {"amount[]": 1, "currency": "eur"}),
        ("/v1/payment_intents", {"amount": 100, "currency[a]": "eur"}),
        ("/v1/payment_intents", {"amount": 100, "currency": "eur", "shipping": "here"}),
        ("/v1/payment_intents", {"amount": 100, "currency": "eur", "expand": "customer"}),
        ("/v1/payment_intents", {"amount": 100, "currency": "eur", "metadata": "all"}),
        ("/v1/payment_intents", {"amount": 100, "currency": "eur", "metadata[k][l]": "v"}),
        ("/v1/payment_intents", {"amount": 100, "currency": "eur", f"metadata[{'k' * 41}]": 1}),
        ("/v1/payment_intents", {"amount": 1, "amount[b]": 1}),
        ("/v1/customers", {f"metadata[k{n}]": n for n in range(51)}),
    ],
)
async def test_parameters_must_have_their_kind(
    account: Account, path: str, data: dict[str, object]
) -> None:
    assert (await account.refused(path, data))["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"starting_after": "pi_none"}, "starting_after"),
        ({"created": "today"}, "created"),
        ({"created[since]": 1}, "created[since]"),
    ],
)
async def test_a_list_that_cannot_be_paged_is_refused(
    account: Account, query: dict[str, object], param: str
) -> None:
    response = await account.call("GET", "/v1/payment_intents", query)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == param


async def test_searches_are_paged(account: Account) -> None:
    ids = [(await account.customer(name="Ada"))["id"] for _ in range(3)]
    first = await account.get("/v1/customers/search", query="name~'ad'", limit=2)
    second = await account.get(
        "/v1/customers/search", query="name~'ad'", limit=2, page=first["next_page"]
    )
    assert [each["id"] for each in first["data"] + second["data"]] == ids[::-1]
    assert (first["has_more"], second["has_more"], second["next_page"]) == (True, False, None)


async def test_what_an_object_lacks_cannot_be_expanded(account: Account) -> None:
    intent = await account.intent()
    path = f"/v1/payment_intents/{intent['id']}"
    for names in ("refunds", "payment_method.customer.customer.customer.customer"):
        response = await account.call("GET", path, {"expand[]": names})
        assert response.status_code == 400
    empty = await account.get(path, **{"expand[]": "latest_charge.balance_transaction"})
    assert empty["latest_charge"] is None


def test_a_clock_follows_the_machine_or_stands_still_and_only_moves_forward() -> None:
    still, running = SandboxClock(100.0), SandboxClock()
    still.advance(5)
    running.advance(3600)

    assert (still.time(), still.now().isoformat()) == (105.0, "1970-01-01T00:01:45+00:00")
    assert running.time() > datetime.now(UTC).timestamp() + 3000
    with pytest.raises(ValueError, match="back"):
        still.advance(-1)
