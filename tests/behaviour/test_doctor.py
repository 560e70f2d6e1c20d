"""One fault at a time: the doctor names this cause and this remedy, and nothing else is wrong."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from stripe_connector.deploy.webhook import FINGERPRINT, MANAGED_BY, fingerprint
from stripe_connector.ledger.facts import PROJECT_KEY
from stripe_connector.ops.doctor import output
from stripe_connector.ops.doctor.checks import CheckOutcome
from stripe_connector.payments import interactions
from stripe_connector.payments.stored import customers
from tests.behaviour.clinic import WEBHOOKS, Clinic, readable, stripe_error, wrong
from tests.behaviour.deployment_faults import CASES, POST_DEPLOY, live, paid, undelivered
from tests.contract.strict import form_problems
from tests.contract.stripe_routes import route
from tests.contract.traffic import decoded
from tests.world import LIVE

_DOCUMENTATION = Path(__file__).parents[2] / "docs" / "operations"
_ROW = re.compile(r"^(  \S \w+ +[\w'.]+(?: [\w'.]+)*)  .*")


@pytest.mark.parametrize("name", CASES)
async def test_the_cause_and_its_remedy_are_named_and_nothing_else_is_wrong(name: str) -> None:
    found = CASES[name]
    clinic = await Clinic.opened()
    await found.harm(clinic)

    hangs = any(host.hangs for host in clinic.hosts.values())
    results = await clinic.examined(limit_s=2 if hangs else 20)

    assert set(wrong(results)) == {found.where}, readable(results)
    result = wrong(results)[found.where]
    assert result.outcome is found.outcome
    assert found.cause in result.text
    assert found.remedy in result.remedy


async def test_every_check_is_known_to_find_something() -> None:
    results = await (await Clinic.opened()).examined()
    assert sorted(f"{each.group}: {each.name}" for each in results) == sorted(
        {each.where for each in CASES.values()}
    )


async def test_of_a_sound_deployment_all_is_well() -> None:
    clinic = await Clinic.opened()
    await paid(clinic)
    clinic.world.clock.advance(86_400)
    results = await clinic.examined()
    assert wrong(results) == {}, readable(results)
    skipped = {each.name for each in results if each.outcome is CheckOutcome.SKIPPED}
    assert skipped == {
        "Interaction type",
        "Merchant's types",
        "Apple Pay domains",
        "Endpoint's secret",
    }


async def test_of_a_sound_live_deployment_all_is_well() -> None:
    clinic = await Clinic.opened()
    await live(clinic)
    await clinic.change_endpoint(
        **{f"metadata[{FINGERPRINT}]": fingerprint(LIVE["STRIPE_WEBHOOK_SIGNING_SECRET"])}
    )
    await clinic.create_type(interactions.interaction_type_draft())
    clinic.environment["STRIPE_INTERFACE_INTERACTIONS"] = "true"
    results = await clinic.examined()
    assert wrong(results) == {}, readable(results)
    assert [each.name for each in results if each.outcome is CheckOutcome.SKIPPED] == [
        "Merchant's types"
    ]


async def test_a_host_that_may_have_live_credentials_is_named() -> None:
    clinic = await Clinic.opened()
    await live(clinic)
    clinic.environment["ALLOWED_BACKEND_HOSTS"] = "egress.example"
    (found,) = (each for each in await clinic.examined() if each.name == "Values")
    assert found.text.endswith("; credentials may go to egress.example")


async def test_what_a_restricted_key_may_not_read_and_need_not_is_skipped() -> None:
    clinic = await Clinic.opened()
    clinic.environment["STRIPE_SECRET_KEY"] = "rk_test_sandbox"
    clinic.environment["ALLOWED_ORIGINS"] += ",https://shop.example"
    clinic.deploy(clinic.environment)
    denied = stripe_error("", "The provided key does not have the required permissions.")
    for path in ("/v1/account", "/v1/payment_method_domains"):
        clinic.hosts["stripe.test"].answer("GET", path, 403, denied)
    results = await clinic.examined()
    assert wrong(results) == {}, readable(results)
    found = {each.name: each for each in results}
    assert found["Account"].outcome is CheckOutcome.SKIPPED
    assert found["Apple Pay domains"].outcome is CheckOutcome.SKIPPED


async def test_with_a_payment_both_keys_are_known_to_be_of_one_account() -> None:
    clinic = await Clinic.opened()
    await paid(clinic)
    (found,) = (each for each in await clinic.examined() if each.name == "Publishable key")
    assert (found.outcome, found.text) == (CheckOutcome.OK, "of the same account")


async def test_before_the_first_payment_a_refused_question_is_an_answer_to_a_known_key() -> None:
    clinic = await Clinic.opened()
    odd = stripe_error("", "Unexpected client secret.")
    clinic.hosts["stripe.test"].answer("GET", "/v1/payment_intents/pi_*", 400, odd)
    assert wrong(await clinic.examined()) == {}


async def test_in_test_mode_stripe_js_may_be_a_stand_in() -> None:
    clinic = await Clinic.opened()
    clinic.environment["STRIPE_JS_URL"] = "http://stripe.test/js/stripe.js"
    assert wrong(await clinic.examined()) == {}


async def test_in_test_mode_what_live_mode_will_ask_for_is_said_beforehand() -> None:
    clinic = await Clinic.opened()
    results = await clinic.examined()
    assert wrong(results) == {}, readable(results)
    found = {each.name: each.text for each in results}
    assert "STOREFRONT_SECRET" in found["Customers' carts"]
    assert "RETURN_URL_CART_ID is true" in found["Return address"]
    clinic.environment |= {
        "STOREFRONT_SECRET": "a-secret-that-the-shop-knows-as-well",
        "RETURN_URL_CART_ID": "false",
    }
    found = {each.name: each.text for each in await clinic.examined()}
    assert found["Customers' carts"] == "need the X-Storefront-Token of the shop's server"
    assert found["Return address"] == "names only the payment"


async def test_a_merchants_own_types_are_looked_for() -> None:
    clinic = await Clinic.opened()
    await clinic.create_type(
        {**customers.customer_type_draft("ours"), "resourceTypeIds": ["payment"]}
    )
    clinic.environment["CT_CUSTOM_TYPE_LAUNCHPAD_PURCHASE_ORDER_KEY"] = "ours"
    (found,) = (each for each in await clinic.examined() if each.name == "Merchant's types")
    assert (found.outcome, found.text) == (CheckOutcome.OK, "ours")


async def test_without_a_public_url_what_needs_one_is_skipped() -> None:
    clinic = await Clinic.opened()
    del clinic.environment["CONNECT_SERVICE_URL"]
    results = await clinic.examined()
    assert wrong(results) == {}, readable(results)
    reasons = {each.name: each.text for each in results if each.outcome is CheckOutcome.SKIPPED}
    assert "CONNECT_SERVICE_URL is not set" in reasons["Reachable"]
    assert "CONNECT_SERVICE_URL is not set" in reasons["Endpoint"]
    assert reasons["Origins"] == "Needs: Reachable."


async def test_a_missing_signing_secret_is_a_failure_and_not_only_a_warning() -> None:
    clinic = await Clinic.opened()
    clinic.environment["STRIPE_WEBHOOK_SIGNING_SECRET"] = ""
    found = wrong(await clinic.examined())
    assert found["Processor: Signing secret"].outcome is CheckOutcome.FAIL
    assert "answered with 503" in found["Processor: Signing secret"].text


async def test_the_documentation_shows_what_is_printed() -> None:
    documented = (_DOCUMENTATION / "doctor.md").read_text(encoding="utf-8").split("```")[-2]
    clinic = await Clinic.opened()
    await clinic.change_endpoint(disabled="true")
    stream = io.StringIO()
    output.show(Console(file=stream, width=160), await clinic.examined(), sound=False)

    def shape(text: str) -> list[str]:
        """Without what each deployment finds: addresses, ids, and whether it has Apple Pay."""
        lines = [_ROW.sub(r"\1", line).rstrip() for line in text.strip().splitlines()]
        labels = [re.sub(r"^(  \w+:) .*", r"\1", line) for line in lines]
        return [line for line in labels if "Apple Pay" not in line and " ok, " not in line]

    assert shape(documented) == shape(stream.getvalue())


async def test_an_examination_changes_nothing() -> None:
    clinic = await Clinic.opened()
    clinic.world.network.calls.clear()
    await clinic.examined()
    posts = [call.name for call in clinic.world.network.calls if call.method != "GET"]
    assert sorted(posts) == [
        "auth POST /oauth/token",
        "processor OPTIONS /payments",
        *["processor POST /stripe/webhooks"] * 6,
    ]


async def test_stripe_is_asked_nothing_that_its_sdk_does_not_know() -> None:
    clinic = await Clinic.opened()
    clinic.environment["STRIPE_SECRET_KEY"] = "rk_test_sandbox"
    clinic.environment["ALLOWED_ORIGINS"] += ",https://shop.example"
    await undelivered(clinic)
    clinic.world.network.calls.clear()
    await clinic.examined()
    calls = [call for call in clinic.world.network.calls if call.path.startswith("/v1/")]
    problems = [
        problem
        for call in calls
        for problem in form_problems(route(call.method, call.path).params, decoded(call.query))
    ]
    assert len(calls) > 8
    assert problems == []


async def test_every_call_carries_a_request_id_of_its_check() -> None:
    clinic = await Clinic.opened()
    clinic.world.network.calls.clear()
    results = await clinic.examined()
    calls = clinic.world.network.calls
    sent = {
        call.headers["x-correlation-id"]
        for call in calls
        if call.backend in {"api", "session", "checkout", "processor"}
        and call.path != "/health/live"
    }
    assert sent <= {each.request_id for each in results}
    assert len(sent) > 5


async def test_no_secret_is_shown_whatever_is_wrong() -> None:
    clinic = await Clinic.opened()
    echoed = stripe_error("", "No sk_test_51abcdefghijk here", "api_error")
    clinic.hosts["stripe.test"].answer("GET", "/v1/account", 400, echoed)
    told = readable(await clinic.examined())
    for name in ("CTP_CLIENT_SECRET", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SIGNING_SECRET"):
        assert clinic.environment[name] not in told.replace("sandbox-processor", "")
    assert "sk_test_51abcdefghijk" not in told


async def test_an_endpoint_that_post_deploy_would_not_touch_is_to_be_named_to_it() -> None:
    clinic = await Clinic.opened()
    await clinic.change_endpoint(disabled="true", **{f"metadata[{MANAGED_BY}]": ""})
    (endpoint,) = clinic.world.stripe.endpoints
    remedy = wrong(await clinic.examined())["Webhooks: Enabled"].remedy
    assert remedy.startswith(f"Set STRIPE_WEBHOOK_ID to {endpoint['id']} and run {POST_DEPLOY}")
    clinic.environment["STRIPE_WEBHOOK_ID"] = endpoint["id"]
    remedy = wrong(await clinic.examined())["Webhooks: Enabled"].remedy
    assert remedy.startswith(f"Run {POST_DEPLOY}: it enables it.")


async def test_an_endpoint_of_another_project_is_not_taken_for_an_old_one_of_ours() -> None:
    clinic = await Clinic.opened()
    other = {"url": "https://other.example/stripe/webhooks", f"metadata[{PROJECT_KEY}]": "other"}
    await clinic.change_endpoint(**other)
    found = wrong(await clinic.examined())["Webhooks: Endpoint"]
    assert found.text.startswith(f"Stripe has no webhook endpoint for {WEBHOOKS}")


async def test_another_deployments_endpoint_is_never_named_to_post_deploy() -> None:
    clinic = await Clinic.opened()
    await clinic.change_endpoint(url="https://blue.example/stripe/webhooks")
    (endpoint,) = clinic.world.stripe.endpoints
    told = readable(await clinic.examined())
    assert endpoint["id"] not in told
    assert "blue.example" not in told


async def test_an_instance_that_is_configured_differently_is_noticed() -> None:
    clinic = await Clinic.opened()
    clinic.deploy_beside(STRIPE_WEBHOOK_SIGNING_SECRET="whsec_" + "o" * 32)
    found = wrong(await clinic.examined())["Processor: Signing secret"]
    assert "Of 6 events" in found.text
    assert "answered with 400" in found.text
    assert "configured differently" in found.text


async def test_no_secret_of_the_environment_is_told_of_its_double() -> None:
    clinic = await Clinic.opened()
    clinic.environment["CTP_CLIENT_SECRET"] = clinic.environment["CTP_CLIENT_ID"]
    told = readable(await clinic.examined())
    assert "CTP_CLIENT_ID and CTP_CLIENT_SECRET have the same value" in told
    assert clinic.environment["CTP_CLIENT_ID"] not in told
