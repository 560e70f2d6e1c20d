"""pre-undeploy: stops what is ours, and deletes nothing that it is not asked to."""

from __future__ import annotations

import pytest

from stripe_connector.deploy.changes import ChangeOutcome
from tests.behaviour.deployment import (
    CUSTOMER_FIELD,
    CUSTOMER_TYPE,
    OLD_VERSION,
    OPERATIONS_TYPE,
    Deployment,
)
from tests.behaviour.steps import Always

WEBHOOK = "webhook endpoint"


@pytest.fixture
async def deployment() -> Deployment:
    """Deployed, with everything that post-deploy makes."""
    deployment = Deployment()
    await deployment.deploy()
    return deployment


def type_keys(deployment: Deployment) -> set[str]:
    return {each["key"] for each in deployment.world.store.collection("type")}


async def test_our_endpoints_are_disabled_and_nothing_is_deleted(deployment: Deployment) -> None:
    await deployment.endpoint(api_version=OLD_VERSION)
    types = type_keys(deployment)
    run = await deployment.undeploy()
    assert {each["status"] for each in deployment.endpoints} == {"disabled"}
    assert len(deployment.endpoints) == 2
    assert {call.method for call in run.writes} == {"POST"}
    assert type_keys(deployment) == types
    assert [each["enabled"] for each in deployment.world.stripe.domains] == [True]
    again = await deployment.undeploy()
    assert (again.writes, again.failed) == ([], False)


async def test_a_deployment_after_it_has_the_same_endpoint_and_secret(
    deployment: Deployment,
) -> None:
    [endpoint] = deployment.endpoints
    secret = deployment.secrets(endpoint)
    await deployment.undeploy()
    await deployment.deploy()
    assert deployment.endpoints == [endpoint]
    assert (endpoint["status"], deployment.secrets(endpoint)) == ("enabled", secret)


async def test_endpoints_of_others_are_never_touched(deployment: Deployment) -> None:
    others = [
        await deployment.unmarked(),
        await deployment.endpoint(**{"metadata[ct_project_key]": "other"}),
        await deployment.endpoint(url="https://preview.example/stripe/webhooks"),
    ]
    await deployment.undeploy(delete_endpoint=True, delete_types=True)
    assert deployment.endpoints == others
    assert {each["status"] for each in others} == {"enabled"}


async def test_a_named_endpoint_of_another_address_is_not_ours_to_stop(
    deployment: Deployment,
) -> None:
    other = await deployment.endpoint(url="https://live.example/stripe/webhooks")
    deployment.environment["STRIPE_WEBHOOK_ID"] = other["id"]
    run = await deployment.undeploy()
    assert other["status"] == "enabled"
    assert run.outcomes(f"{WEBHOOK} {other['id']}") == {ChangeOutcome.LEFT}


async def test_the_endpoint_is_deleted_when_asked(deployment: Deployment) -> None:
    await deployment.undeploy(delete_endpoint=True)
    assert deployment.endpoints == []
    assert OPERATIONS_TYPE in type_keys(deployment)


async def test_a_dry_run_writes_nothing(deployment: Deployment) -> None:
    run = await deployment.undeploy(dry_run=True, delete_endpoint=True, delete_types=True)
    assert run.writes == []
    assert run.outcomes(WEBHOOK) == {ChangeOutcome.PLANNED}


async def test_types_that_nothing_uses_are_deleted_when_asked(deployment: Deployment) -> None:
    customer = deployment.world.store.collection("customer")
    one = next(iter(customer))
    await deployment.world.commercetools(
        "POST",
        f"customers/{one['id']}",
        {
            "version": one["version"],
            "actions": [
                {
                    "action": "setCustomType",
                    "type": {"typeId": "type", "key": CUSTOMER_TYPE},
                    "fields": {CUSTOMER_FIELD: "cus_1"},
                }
            ],
        },
    )
    run = await deployment.undeploy(delete_types=True)
    assert not run.failed
    assert OPERATIONS_TYPE not in type_keys(deployment)
    assert CUSTOMER_TYPE in type_keys(deployment)
    assert run.outcomes(f"custom type {CUSTOMER_TYPE}") == {ChangeOutcome.LEFT}


async def test_a_failure_at_one_type_does_not_keep_the_others(deployment: Deployment) -> None:
    await deployment.undeploy(delete_types=True)
    await deployment.deploy()
    made = await deployment.world.commercetools("GET", f"types/key={OPERATIONS_TYPE}")
    path = f"/sandbox/types/{made['id']}"
    deployment.world.network.trouble = lambda c: "error before" if c.path == path else None
    run = await deployment.undeploy(delete_types=True)
    assert run.outcomes(f"custom type {OPERATIONS_TYPE}") == {ChangeOutcome.FAILED}
    assert run.outcomes(f"custom type {CUSTOMER_TYPE}") == {ChangeOutcome.DONE}
    assert OPERATIONS_TYPE in type_keys(deployment)
    deployment.world.network.trouble = lambda _: None
    again = await deployment.undeploy(delete_types=True)
    assert again.outcomes(f"custom type {OPERATIONS_TYPE}") == {ChangeOutcome.DONE}
    assert again.outcomes(f"custom type {CUSTOMER_TYPE}") == {ChangeOutcome.RIGHT}


async def test_types_with_somebody_elses_fields_or_users_stay(deployment: Deployment) -> None:
    deployment.environment["CT_CUSTOM_TYPE_STRIPE_CUSTOMER_KEY"] = "loyalty"
    await deployment.type("loyalty", "customer", points="Number", **{CUSTOMER_FIELD: "String"})
    await deployment.undeploy(delete_types=True)
    assert {"loyalty", "payment-launchpad-purchase-order"} <= type_keys(deployment)


async def test_without_the_services_address_nothing_is_guessed(deployment: Deployment) -> None:
    del deployment.environment["CONNECT_SERVICE_URL"]
    run = await deployment.undeploy()
    assert run.failed
    assert run.writes == []


async def test_while_stripe_is_down_it_fails_and_says_so(deployment: Deployment) -> None:
    deployment.world.network.trouble = Always("refused", "stripe")
    run = await deployment.undeploy()
    assert run.failed
    assert deployment.endpoints[0]["status"] == "enabled"


async def test_an_endpoint_that_vanishes_meanwhile_is_gone(deployment: Deployment) -> None:
    [endpoint] = deployment.endpoints
    path = f"/v1/webhook_endpoints/{endpoint['id']}"

    def vanish(call: object) -> None:
        if getattr(call, "path", "") == path:
            deployment.world.stripe.endpoints.remove(endpoint["id"])

    deployment.world.network.trouble = vanish
    run = await deployment.undeploy()
    assert run.outcomes(WEBHOOK) == {ChangeOutcome.RIGHT}
