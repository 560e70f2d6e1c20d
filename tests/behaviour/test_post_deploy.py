"""post-deploy: from whatever state, it ends in the right one or reports the remedy."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from sandbox.commercetools.shop import CLIENTS
from stripe_connector.concurrency import TRIES
from stripe_connector.deploy.changes import ChangeOutcome, DeployReport
from stripe_connector.deploy.secrets import SecretDesk
from stripe_connector.deploy.webhook import EVENTS
from stripe_connector.gateways.stripe.administration import WebhookEndpoint
from stripe_connector.gateways.stripe.api_version import API_VERSION
from tests.behaviour.deployment import (
    CUSTOMER_FIELD,
    CUSTOMER_TYPE,
    MARK,
    OLD_VERSION,
    OPERATIONS_TYPE,
    SERVICE,
    URL,
    Deployment,
    Terminal,
)
from tests.behaviour.steps import Always, Once, no_trouble
from tests.wire import Call, Crash, Trouble

Json = dict[str, Any]

WEBHOOK = "webhook endpoint"
PURCHASE_ORDER_TYPE = "payment-launchpad-purchase-order"
INTERACTION_TYPE = "commercetools-checkout-payment-interface-interaction"


@pytest.fixture
def deployment() -> Deployment:
    return Deployment()


async def is_deployed(deployment: Deployment) -> None:
    """Everything is as it should be, seen from the backends."""
    enabled = [each for each in deployment.endpoints if each["status"] == "enabled"]
    assert [each["url"] for each in enabled] == [URL]
    assert enabled[0]["enabled_events"] == list(EVENTS)
    assert enabled[0]["api_version"] == API_VERSION
    assert enabled[0]["metadata"].items() >= MARK.items()
    assert "stripeConnector_attempt" in await deployment.fields_of(OPERATIONS_TYPE)
    assert CUSTOMER_FIELD in await deployment.fields_of(CUSTOMER_TYPE)
    assert "launchpadPurchaseOrderNumber" in await deployment.fields_of(PURCHASE_ORDER_TYPE)
    domains = {each["domain_name"]: each["enabled"] for each in deployment.world.stripe.domains}
    assert domains == {"shop.example": True}


async def repeats_without_a_write(deployment: Deployment) -> None:
    run = await deployment.deploy()
    assert run.writes == []
    assert not run.failed
    assert ChangeOutcome.DONE not in run.outcomes()


def names(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


# --- A first deployment, and every one after it ---------------------------------------------------


async def test_a_first_deployment_creates_everything_and_a_second_changes_nothing(
    deployment: Deployment,
) -> None:
    run = await deployment.deploy()
    assert not run.failed
    assert run.outcomes("custom type") == {ChangeOutcome.DONE}
    await is_deployed(deployment)
    await repeats_without_a_write(deployment)


@pytest.mark.parametrize("service", [SERVICE, f"{SERVICE}/"])
async def test_the_services_address_is_taken_with_and_without_a_slash(service: str) -> None:
    deployment = Deployment(CONNECT_SERVICE_URL=service)
    await deployment.deploy()
    assert [each["url"] for each in deployment.endpoints] == [URL]


async def test_a_dry_run_says_the_same_and_writes_nothing(deployment: Deployment) -> None:
    run = await deployment.deploy(dry_run=True)
    assert run.writes == []
    assert not run.failed
    done = await deployment.deploy()
    planned = [(r.subject, r.text) for r in run.rows if r.outcome is ChangeOutcome.PLANNED]
    assert planned == [(r.subject, r.text) for r in done.rows if r.outcome is ChangeOutcome.DONE]


async def test_without_the_services_address_all_else_is_done(deployment: Deployment) -> None:
    del deployment.environment["CONNECT_SERVICE_URL"]
    run = await deployment.deploy()
    [row] = run.of(WEBHOOK)
    assert row.outcome is ChangeOutcome.FAILED
    assert "CONNECT_SERVICE_URL" in (row.remedy or "")
    assert run.outcomes("custom type") == {ChangeOutcome.DONE}
    assert deployment.endpoints == []


# --- The signing secret ---------------------------------------------------------------------------


async def test_on_a_terminal_the_secret_is_shown(deployment: Deployment) -> None:
    run = await deployment.deploy(stream=Terminal())
    [endpoint] = deployment.endpoints
    assert f"Signing secret of {endpoint['id']}: {deployment.secrets(endpoint)}" in run.printed


async def test_elsewhere_it_is_not_told(deployment: Deployment) -> None:
    run = await deployment.deploy()
    [endpoint] = deployment.endpoints
    assert "whsec_" not in run.printed + repr(run.rows)
    made = WebhookEndpoint("we_1", URL, "enabled", [], 1, secret="whsec_1")
    assert "whsec_" not in repr(made)
    [row] = [each for each in run.of(WEBHOOK) if each.outcome is ChangeOutcome.OPEN]
    assert endpoint["id"] in (row.remedy or "")
    assert "Dashboard" in (row.remedy or "")


async def test_in_a_file_it_is_for_its_owner_alone(deployment: Deployment, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    run = await deployment.deploy(secret_file=file, stream=Terminal())
    [endpoint] = deployment.endpoints
    assert file.read_text() == f"{deployment.secrets(endpoint)}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "whsec_" not in run.printed
    assert names(tmp_path) == ["secret"]


async def test_without_a_new_secret_the_file_stays_as_it_is(
    deployment: Deployment, tmp_path: Path
) -> None:
    await deployment.deploy()
    await deployment.deploy(secret_file=tmp_path / "secret")
    assert names(tmp_path) == []


async def test_a_file_that_cannot_be_written_is_noticed_before_anything_is_created(
    deployment: Deployment, tmp_path: Path
) -> None:
    run = await deployment.deploy(secret_file=tmp_path / "missing" / "secret")
    assert deployment.endpoints == []
    assert run.outcomes(WEBHOOK) == {ChangeOutcome.FAILED}


@pytest.mark.parametrize("kind", ["link", "pipe"])
async def test_a_file_that_is_none_is_refused_before_anything_is_created(
    deployment: Deployment, tmp_path: Path, kind: str
) -> None:
    file = tmp_path / "secret"
    if kind == "link":
        file.symlink_to(tmp_path / "elsewhere")
    else:
        os.mkfifo(file)
    run = await deployment.deploy(secret_file=file)
    [row] = run.of(WEBHOOK)
    assert "is not a regular file" in row.text
    assert deployment.endpoints == []
    assert not (tmp_path / "elsewhere").exists()


async def test_two_runs_at_once_make_one_endpoint(deployment: Deployment) -> None:
    """Each has looked before the other has created its endpoint."""
    other = Deployment(deployment.world)
    looked = asyncio.Barrier(2)

    async def together(call: Call) -> None:
        if (call.method, call.path) == ("POST", "/v1/webhook_endpoints"):
            await looked.wait()

    deployment.world.network.turn = together
    runs = await asyncio.gather(
        deployment.deploy(stream=Terminal()), other.deploy(stream=Terminal())
    )
    deployment.world.network.turn = None
    [endpoint] = deployment.endpoints
    shown = [run.printed for run in runs if "whsec_" in run.printed]
    assert len(shown) == 1
    assert deployment.secrets(endpoint) in shown[0]
    assert not any(run.failed for run in runs)


def test_a_file_that_cannot_be_put_in_its_place_loses_no_run(tmp_path: Path) -> None:
    """The Dashboard shows the secret as well."""
    folder = tmp_path / "secret"
    desk = SecretDesk(Terminal(), folder)
    desk.open()
    folder.mkdir()  # by somebody else, meanwhile
    assert desk.hand_over("we_1", "whsec_1") is None
    desk.close()
    assert names(tmp_path) == ["secret"]


async def test_once_it_is_configured_nothing_is_left_to_do(deployment: Deployment) -> None:
    await deployment.deploy()
    again = await deployment.deploy()
    assert ChangeOutcome.OPEN in again.outcomes(WEBHOOK)
    secret = deployment.secrets(deployment.endpoints[0])
    deployment.environment["STRIPE_WEBHOOK_SIGNING_SECRET"] = secret
    assert (await deployment.deploy()).outcomes(WEBHOOK) == {ChangeOutcome.RIGHT}


# --- The webhook endpoint -------------------------------------------------------------------------


async def test_missing_and_superfluous_events_are_mended(deployment: Deployment) -> None:
    await deployment.endpoint(**{"enabled_events[]": "charge.succeeded"})
    await deployment.deploy()
    await is_deployed(deployment)
    await repeats_without_a_write(deployment)


async def test_a_disabled_endpoint_is_enabled_again_and_keeps_its_secret(
    deployment: Deployment,
) -> None:
    endpoint = await deployment.endpoint()
    secret = deployment.secrets(endpoint)
    await deployment.disable(endpoint)
    await deployment.deploy()
    await is_deployed(deployment)
    assert deployment.secrets(endpoint) == secret


async def test_the_named_endpoint_follows_the_services_address(deployment: Deployment) -> None:
    endpoint = await deployment.endpoint(url="https://old.example/stripe/webhooks")
    deployment.environment["STRIPE_WEBHOOK_ID"] = endpoint["id"]
    await deployment.deploy()
    await is_deployed(deployment)
    await repeats_without_a_write(deployment)


async def test_one_of_another_deployment_is_left_alone(deployment: Deployment) -> None:
    other = await deployment.endpoint(url="https://preview.example/stripe/webhooks")
    before = dict(other)
    run = await deployment.deploy()
    assert other == before
    assert run.outcomes(f"{WEBHOOK} {other['id']}") == {ChangeOutcome.LEFT}
    assert [each["url"] for each in deployment.endpoints] == [other["url"], URL]


async def test_a_named_endpoint_that_does_not_exist_is_a_failure(deployment: Deployment) -> None:
    deployment.environment["STRIPE_WEBHOOK_ID"] = "we_gone"
    run = await deployment.deploy()
    assert run.outcomes(WEBHOOK) == {ChangeOutcome.FAILED}
    assert deployment.endpoints == []


async def test_a_named_endpoint_of_another_project_is_a_failure(deployment: Deployment) -> None:
    endpoint = await deployment.endpoint(**{"metadata[ct_project_key]": "other"})
    before = dict(endpoint)
    deployment.environment["STRIPE_WEBHOOK_ID"] = endpoint["id"]
    run = await deployment.deploy()
    assert run.outcomes(WEBHOOK) == {ChangeOutcome.FAILED}
    assert deployment.endpoints == [before]


async def test_somebody_elses_endpoint_at_our_address_is_not_taken_unasked(
    deployment: Deployment,
) -> None:
    endpoint = await deployment.unmarked()
    before = dict(endpoint)
    run = await deployment.deploy()
    [row] = run.of(WEBHOOK)
    assert row.outcome is ChangeOutcome.FAILED
    assert f"STRIPE_WEBHOOK_ID to {endpoint['id']}" in (row.remedy or "")
    assert deployment.endpoints == [before]
    deployment.environment["STRIPE_WEBHOOK_ID"] = endpoint["id"]
    await deployment.deploy()
    await is_deployed(deployment)
    await repeats_without_a_write(deployment)


async def test_somebody_elses_endpoint_beside_ours_is_left_alone(deployment: Deployment) -> None:
    await deployment.endpoint()
    other = await deployment.unmarked()
    before = dict(other)
    run = await deployment.deploy()
    assert not run.failed
    assert other == before
    assert run.outcomes(f"{WEBHOOK} {other['id']}") == {ChangeOutcome.LEFT}


async def test_another_version_gets_a_second_endpoint_and_then_the_first_is_disabled(
    deployment: Deployment,
) -> None:
    old = await deployment.endpoint(api_version=OLD_VERSION)
    deployment.environment["STRIPE_WEBHOOK_SIGNING_SECRET"] = deployment.secrets(old)
    await deployment.deploy()
    _, new = deployment.endpoints
    assert (old["status"], new["status"]) == ("enabled", "enabled")
    assert new["api_version"] == API_VERSION
    await repeats_without_a_write(deployment)
    deployment.environment["STRIPE_WEBHOOK_SIGNING_SECRET"] += f",{deployment.secrets(new)}"
    run = await deployment.deploy()
    assert [call.path for call in run.writes] == [f"/v1/webhook_endpoints/{old['id']}"]
    await is_deployed(deployment)
    await repeats_without_a_write(deployment)


async def test_the_first_is_never_disabled_in_the_run_that_creates_the_second(
    deployment: Deployment,
) -> None:
    old = await deployment.endpoint(api_version=OLD_VERSION)
    await deployment.deploy(retire_old=True)
    assert [each["status"] for each in deployment.endpoints] == ["enabled", "enabled"]
    await deployment.deploy(retire_old=True)
    assert old["status"] == "disabled"


async def test_a_named_endpoint_of_another_version_gives_way(deployment: Deployment) -> None:
    old = await deployment.endpoint(api_version=OLD_VERSION)
    deployment.environment["STRIPE_WEBHOOK_ID"] = old["id"]
    run = await deployment.deploy()
    _, new = deployment.endpoints
    assert any(f"STRIPE_WEBHOOK_ID to {new['id']}" in (row.remedy or "") for row in run.rows)
    await deployment.deploy(retire_old=True)
    await is_deployed(deployment)
    deployment.environment["STRIPE_WEBHOOK_ID"] = new["id"]
    await repeats_without_a_write(deployment)


async def test_of_duplicates_the_one_stays_whose_secret_is_configured(
    deployment: Deployment,
) -> None:
    await deployment.deploy()
    [known] = deployment.endpoints
    deployment.environment["STRIPE_WEBHOOK_SIGNING_SECRET"] = deployment.secrets(known)
    other = await deployment.endpoint()
    await deployment.deploy()
    assert (known["status"], other["status"]) == ("enabled", "disabled")
    await repeats_without_a_write(deployment)


async def test_a_duplicate_stays_enabled_while_it_cannot_be_told_which_one_is_configured(
    deployment: Deployment,
) -> None:
    both = [await deployment.endpoint(), await deployment.endpoint()]
    deployment.environment["STRIPE_WEBHOOK_SIGNING_SECRET"] = deployment.secrets(both[1])
    run = await deployment.deploy()
    assert [each["status"] for each in both] == ["enabled", "enabled"]
    assert ChangeOutcome.OPEN in run.outcomes(WEBHOOK)
    await deployment.deploy(retire_old=True)
    assert sorted(each["status"] for each in both) == ["disabled", "enabled"]


async def test_an_account_with_no_endpoint_left_is_told_in_stripes_words(
    deployment: Deployment,
) -> None:
    for number in range(16):
        await deployment.endpoint(url=f"https://{number}.example")
    run = await deployment.deploy()
    [row] = [each for each in run.of(WEBHOOK) if each.outcome is ChangeOutcome.FAILED]
    assert "maximum" in row.text


# --- Custom types ---------------------------------------------------------------------------------


async def test_missing_fields_are_added_to_a_type_of_ours(deployment: Deployment) -> None:
    await deployment.type(OPERATIONS_TYPE, "transaction", stripeConnector_operation="String")
    run = await deployment.deploy()
    assert not run.failed
    await is_deployed(deployment)
    await repeats_without_a_write(deployment)


async def test_a_type_with_somebody_elses_fields_is_checked_and_not_touched() -> None:
    deployment = Deployment(CT_CUSTOM_TYPE_STRIPE_CUSTOMER_KEY="loyalty")
    resources = ("customer", "payment-method")
    fits = await deployment.type(
        "loyalty", *resources, points="Number", **{CUSTOMER_FIELD: "String"}
    )
    run = await deployment.deploy()
    assert run.outcomes("custom type loyalty") == {ChangeOutcome.RIGHT}
    assert await deployment.world.commercetools("GET", "types/key=loyalty") == fits


@pytest.mark.parametrize(
    ("resources", "fields", "problem"),
    [
        (["customer"], {"points": "Number"}, f"lacks {CUSTOMER_FIELD} (String)"),
        (["order"], {"points": "Number", CUSTOMER_FIELD: "String"}, "does not extend customer"),
        (["order"], {}, "does not extend customer"),
        (["customer"], {CUSTOMER_FIELD: "Number"}, "of type Number instead of String"),
    ],
)
async def test_a_type_that_does_not_fit_is_a_failure_and_stays_as_it_is(
    resources: list[str], fields: dict[str, str], problem: str
) -> None:
    deployment = Deployment(CT_CUSTOM_TYPE_STRIPE_CUSTOMER_KEY="loyalty")
    before = await deployment.type("loyalty", *resources, **fields)
    run = await deployment.deploy()
    [row] = run.of("custom type loyalty")
    assert row.outcome is ChangeOutcome.FAILED
    assert problem in row.text
    assert "CT_CUSTOM_TYPE_STRIPE_CUSTOMER_KEY" in (row.remedy or "")
    assert await deployment.world.commercetools("GET", "types/key=loyalty") == before
    assert run.outcomes(f"custom type {OPERATIONS_TYPE}") == {ChangeOutcome.DONE}


async def test_a_field_that_must_be_filled_in_does_not_fit(deployment: Deployment) -> None:
    definition = {"name": "points", "type": {"name": "Number"}, "label": {"en": "Points"}}
    draft = {
        "key": CUSTOMER_TYPE,
        "name": {"en": "Loyalty"},
        "resourceTypeIds": ["customer"],
        "fieldDefinitions": [
            {**definition, "required": True},
            {**definition, "name": CUSTOMER_FIELD, "type": {"name": "String"}, "required": True},
        ],
    }
    await deployment.world.commercetools("POST", "types", draft)
    [row] = (await deployment.deploy()).of(f"custom type {CUSTOMER_TYPE}")
    assert row.outcome is ChangeOutcome.FAILED
    assert "requires points" in row.text
    assert f"{CUSTOMER_FIELD} must not be required" in row.text


async def test_a_type_whose_key_cannot_be_chosen_is_mended_by_hand(
    deployment: Deployment,
) -> None:
    await deployment.type(OPERATIONS_TYPE, "order")
    [row] = (await deployment.deploy()).of(f"custom type {OPERATIONS_TYPE}")
    assert row.outcome is ChangeOutcome.FAILED
    assert "Merchant Center" in (row.remedy or "")
    assert "CT_" not in (row.remedy or "")


@pytest.mark.parametrize(
    "oddity",
    [{"type": {"name": "Hologram"}}, {"type": {}}, {"type": "String"}, {"name": None}],
    ids=["a kind that is not known", "no kind", "no definition", "no name"],
)
async def test_a_type_that_is_not_understood_is_a_failure_of_that_type_alone(
    deployment: Deployment, oddity: Json
) -> None:
    await deployment.type(OPERATIONS_TYPE, "transaction", stripeConnector_final="Boolean")
    [stored] = deployment.world.store.collection("type")
    [field] = stored["fieldDefinitions"]
    odd = {**stored, "fieldDefinitions": [{**field, **oddity}]}
    deployment.world.store.replace("type", odd)
    run = await deployment.deploy()
    assert run.outcomes(f"custom type {OPERATIONS_TYPE}") == {ChangeOutcome.FAILED}
    assert run.outcomes(f"custom type {CUSTOMER_TYPE}") == {ChangeOutcome.DONE}
    assert not [call for call in run.writes if call.path.endswith(f"/types/{stored['id']}")]


async def test_a_type_may_hold_more_than_the_connector_knows(deployment: Deployment) -> None:
    """commercetools adds attributes and resource types; neither keeps a type from being right."""
    await deployment.deploy()
    stored = next(
        each for each in deployment.world.store.collection("type") if each["key"] == OPERATIONS_TYPE
    )
    newer = {
        **stored,
        "resourceTypeIds": [*stored["resourceTypeIds"], "hologram"],
        "fieldDefinitions": [
            {**each, "type": {**each["type"], "depth": 3}} for each in stored["fieldDefinitions"]
        ],
    }
    deployment.world.store.replace("type", newer)
    run = await deployment.deploy()
    assert run.outcomes(f"custom type {OPERATIONS_TYPE}") == {ChangeOutcome.RIGHT}


async def test_interactions_get_their_type_where_they_are_kept() -> None:
    deployment = Deployment(STRIPE_INTERFACE_INTERACTIONS="true")
    await deployment.deploy()
    assert "interactionId" in await deployment.fields_of(INTERACTION_TYPE)
    await repeats_without_a_write(deployment)


async def test_of_two_deployments_at_once_both_succeed(deployment: Deployment) -> None:
    """The other one creates the type between our look and our write."""
    other = Deployment()
    await other.deploy()
    created = await other.world.commercetools("GET", f"types/key={OPERATIONS_TYPE}")

    def create_first(call: Call) -> None:
        if (call.method, call.path) == ("POST", "/sandbox/types"):
            deployment.world.network.trouble = no_trouble
            deployment.world.store.insert("type", created)

    deployment.world.network.trouble = create_first
    run = await deployment.deploy()
    assert run.outcomes(f"custom type {OPERATIONS_TYPE}") == {ChangeOutcome.RIGHT}
    await is_deployed(deployment)


@pytest.mark.parametrize(
    ("times", "outcome"), [(TRIES - 1, ChangeOutcome.DONE), (TRIES, ChangeOutcome.FAILED)]
)
async def test_a_type_that_others_are_changing_is_looked_at_again_a_few_times(
    deployment: Deployment, times: int, outcome: ChangeOutcome
) -> None:
    made = await deployment.type(OPERATIONS_TYPE, "transaction", stripeConnector_final="Boolean")
    left = times

    def change_first(call: Call) -> None:
        nonlocal left
        if (call.method, call.path) == ("POST", f"/sandbox/types/{made['id']}") and left:
            left -= 1
            store = deployment.world.store
            current = store.collection("type").get(made["id"])
            assert current is not None
            store.replace("type", {**current, "name": {"en": f"Renamed {left}"}})

    deployment.world.network.trouble = change_first
    run = await deployment.deploy()
    [row] = run.of(f"custom type {OPERATIONS_TYPE}")
    assert row.outcome is outcome
    assert (row.remedy is not None) == (outcome is ChangeOutcome.FAILED)


# --- Payment domains ------------------------------------------------------------------------------


async def test_hosts_of_storefronts_are_registered_but_for_those_that_cannot_be() -> None:
    deployment = Deployment(
        ALLOWED_ORIGINS="https://shop.example,https://www.shop.example:8443,http://plain.example"
        ",https://localhost:3000,https://192.0.2.1,https://[2001:db8::1]",
        STOREFRONT_URL="https://store.example/en",
    )
    run = await deployment.deploy()
    names = {each["domain_name"] for each in deployment.world.stripe.domains}
    assert names == {"shop.example", "www.shop.example", "store.example"}
    assert {
        row.subject.rpartition(" ")[2]
        for row in run.of("payment domain")
        if row.outcome is ChangeOutcome.LEFT
    } == {"plain.example", "localhost", "192.0.2.1", "2001:db8::1"}


async def test_the_host_of_the_buy_now_pages_is_registered_too() -> None:
    deployment = Deployment(
        BUY_NOW_ENABLED="true",
        BUY_NOW_URL="https://buy.example",
        BUY_NOW_COOKIE_SECRET="a secret for cookies of buy-now".replace(" ", "-") + "!",
    )
    await deployment.deploy()
    names = {each["domain_name"] for each in deployment.world.stripe.domains}
    assert names == {"shop.example", "buy.example"}


async def test_a_disabled_domain_is_enabled_again(deployment: Deployment) -> None:
    await deployment.world.ask_stripe(
        "POST", "/v1/payment_method_domains", domain_name="shop.example", enabled="false"
    )
    await deployment.deploy()
    await is_deployed(deployment)
    await repeats_without_a_write(deployment)


async def test_where_apple_pay_does_not_work_stripe_is_asked_to_look_again(
    deployment: Deployment,
) -> None:
    await deployment.deploy()
    [domain] = deployment.world.stripe.domains
    domain["apple_pay"] = {"status": "inactive", "status_details": {"error_message": "No file."}}
    run = await deployment.deploy(dry_run=True)
    assert run.outcomes("payment domain shop.example") == {ChangeOutcome.PLANNED}
    await deployment.deploy()
    assert domain["apple_pay"]["status"] == "active"
    await repeats_without_a_write(deployment)


async def test_where_it_still_does_not_work_stripes_reason_is_told() -> None:
    deployment = Deployment(ALLOWED_ORIGINS="https://shop.invalid")
    for _ in range(2):
        run = await deployment.deploy()
        [row] = [
            r for r in run.of("payment domain shop.invalid") if r.outcome is ChangeOutcome.OPEN
        ]
        assert "could not be fetched" in row.text
        assert "https://shop.invalid/.well-known/" in (row.remedy or "")
        assert not run.failed


# --- Trouble --------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", ["refused", "lost", "error before", "error after", "busy"])
async def test_whichever_call_fails_the_run_succeeds_or_the_next_one_does(
    trouble: Trouble,
) -> None:
    index = 0
    while True:
        deployment = Deployment()
        deployment.world.network.trouble = once = Once(index, trouble)
        run = await deployment.deploy()
        if not once.happened:
            assert index > 10
            return
        if run.failed:
            assert all(row.remedy for row in run.rows if row.outcome is ChangeOutcome.FAILED)
            assert not (await deployment.deploy()).failed
        await is_deployed(deployment)
        await repeats_without_a_write(deployment)
        index += 1


@pytest.mark.parametrize("trouble", ["crash before", "crash after"])
async def test_wherever_a_run_is_cut_off_the_next_one_completes_it(trouble: Trouble) -> None:
    index = 0
    while True:
        deployment = Deployment()
        deployment.world.network.trouble = once = Once(index, trouble)
        try:
            await deployment.deploy()
        except Crash:
            await deployment.deploy()
        if not once.happened:
            assert index > 10
            return
        await is_deployed(deployment)
        await repeats_without_a_write(deployment)
        index += 1


@pytest.mark.parametrize("backend", ["stripe", "commercetools"])
async def test_a_backend_that_is_down_hides_nothing_of_the_other(
    deployment: Deployment, backend: str
) -> None:
    deployment.world.network.trouble = Always("error before", backend)
    run = await deployment.deploy()
    theirs = {"stripe": (WEBHOOK, "payment domain shop"), "commercetools": ("custom type",)}
    for owner, subjects in theirs.items():
        for subject in subjects:
            assert (ChangeOutcome.FAILED in run.outcomes(subject)) == (owner == backend)
    assert all(
        "Run this again" in (r.remedy or "") for r in run.rows if r.outcome is ChangeOutcome.FAILED
    )


async def test_a_key_that_stripe_refuses_is_named(deployment: Deployment) -> None:
    deployment.environment["STRIPE_SECRET_KEY"] = "sk_test_revoked123"
    run = await deployment.deploy()
    failures = [row for row in run.rows if row.outcome is ChangeOutcome.FAILED]
    assert {row.subject for row in failures} == {WEBHOOK, "payment domain shop.example"}
    assert all("STRIPE_SECRET_KEY" in (row.remedy or "") for row in failures)
    assert "revoked123" not in run.printed


async def test_an_api_client_that_may_not_manage_types_is_told_the_scope(
    deployment: Deployment,
) -> None:
    tokens = deployment.world.store.tokens
    scopes = [each for each in CLIENTS["sandbox-processor"].split() if each != "manage_types"]
    tokens.register("sandbox-processor", "sandbox-processor-secret", scopes)
    run = await deployment.deploy()
    failures = [row for row in run.rows if row.outcome is ChangeOutcome.FAILED]
    assert {row.subject.partition(" ")[0] for row in failures} == {"custom"}
    assert all("manage_types" in (row.remedy or "") for row in failures)
    assert deployment.endpoints


async def test_a_remedy_is_printed_in_one_line_below_the_table(deployment: Deployment) -> None:
    deployment.environment["STRIPE_WEBHOOK_ID"] = "we_gone"
    run = await deployment.deploy()
    [row] = run.of(WEBHOOK)
    assert f"failed: {row.remedy}" in run.printed.splitlines()


def test_programs_get_every_step_with_its_remedy() -> None:
    report = DeployReport()
    report.right("webhook endpoint we_1", "delivers")
    report.fail("custom type a", "refused", "Choose another key.")
    assert json.loads(report.as_json()) == {
        "dryRun": False,
        "failed": True,
        "steps": [
            {
                "subject": "webhook endpoint we_1",
                "outcome": "right already",
                "text": "delivers",
                "remedy": None,
            },
            {
                "subject": "custom type a",
                "outcome": "failed",
                "text": "refused",
                "remedy": "Choose another key.",
            },
        ],
    }
