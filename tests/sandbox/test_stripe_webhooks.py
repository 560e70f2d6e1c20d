"""Webhook endpoints, signatures and deliveries with their retries and faults."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
import stripe

from sandbox.clock import SandboxClock
from sandbox.faults import FaultDesk, NewFault
from sandbox.stripe.webhooks import Deliverer, signature, signed
from tests.patience import PATIENCE_S
from tests.sandbox.stripe_account import Account, Json

_URL = "http://shop.test/stripe/webhooks"


class Shop:
    """Receives webhooks and answers as told."""

    def __init__(self) -> None:
        self.received: list[Json] = []
        self.headers: list[str] = []
        self.bodies: list[bytes] = []
        self.answers: list[int | Exception] = []
        """The next answers; 200 when there are none left."""
        self.arrived = asyncio.Event()

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.headers.append(request.headers["stripe-signature"])
        self.bodies.append(request.content)
        self.received.append(json.loads(request.content))
        self.arrived.set()
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer, headers={"location": "http://elsewhere.test"})

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.received]


class Sandbox:
    """An account whose events are delivered to a shop."""

    def __init__(self) -> None:
        self.account = Account()
        self.shop = Shop()
        self.desk = FaultDesk()
        client = httpx.AsyncClient(transport=httpx.MockTransport(self.shop.handle))
        self.deliverer = Deliverer(
            self.account.state, client, self.desk, retry_seconds=(10.0, 100.0)
        )

    async def endpoint(self, *events: str, **data: Any) -> Json:
        return await self.account.post(
            "/v1/webhook_endpoints", url=_URL, **{"enabled_events[]": events or ("*",)}, **data
        )

    async def later(self, seconds: float) -> None:
        self.account.clock.advance(seconds)
        await self.deliverer.deliver_due()

    def statuses(self) -> list[str]:
        deliveries = self.account.state.deliveries.values()
        return [delivery.status for each in deliveries for delivery in each]


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


@pytest.fixture
def account(sandbox: Sandbox) -> Account:
    return sandbox.account


async def test_an_endpoints_secret_is_shown_once(sandbox: Sandbox, account: Account) -> None:
    made = await sandbox.endpoint("charge.refunded", api_version="2026-09-30.endive")
    path = f"/v1/webhook_endpoints/{made['id']}"
    read = await account.get(path)
    listed = await account.get("/v1/webhook_endpoints")

    assert made["secret"].startswith("whsec_")
    assert "secret" not in read
    assert listed["data"] == [read]
    assert read["api_version"] == "2026-09-30.endive"


async def test_an_endpoint_is_changed_but_for_its_version(
    sandbox: Sandbox, account: Account
) -> None:
    made = await sandbox.endpoint("*", api_version="2026-09-30.endive")
    path = f"/v1/webhook_endpoints/{made['id']}"
    changed = await account.post(
        path, url="https://new.test", disabled="true", **{"enabled_events[]": "charge.refunded"}
    )
    error = await account.refused(path, {"api_version": "2026-10-28.endive"})
    deleted = await account.call("DELETE", path)
    gone = await account.call("GET", path)

    assert (changed["url"], changed["status"]) == ("https://new.test", "disabled")
    assert changed["enabled_events"] == ["charge.refunded"]
    assert error["code"] == "parameter_unknown"
    assert deleted.json()["deleted"] is True
    assert gone.status_code == 404


@pytest.mark.parametrize("url", ["shop.test", "ftp://shop.test", "http://"])
async def test_an_endpoint_needs_a_url_that_can_be_called(account: Account, url: str) -> None:
    error = await account.refused("/v1/webhook_endpoints", {"url": url, "enabled_events[]": "*"})
    assert error["code"] == "url_invalid"


async def test_an_account_has_at_most_sixteen_endpoints(sandbox: Sandbox, account: Account) -> None:
    for _ in range(16):
        await sandbox.endpoint()
    await account.refused("/v1/webhook_endpoints", {"url": _URL, "enabled_events[]": "*"})
    assert len(account.state.endpoints) == 16


async def test_the_sdk_accepts_a_signed_event(account: Account) -> None:
    await account.customer()
    event = account.state.events[0]
    body, header = signed(event, "whsec_x", 1_800_000_000)

    assert json.loads(body) == event
    stripe.WebhookSignature.verify_header(body, header, "whsec_x")
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(body + b" ", header, "whsec_x")


def test_every_secret_signs_during_a_roll() -> None:
    header = signature(b"{}", ["whsec_new", "whsec_old"], 1)
    for secret in ("whsec_new", "whsec_old"):
        stripe.WebhookSignature.verify_header(b"{}", header, secret)
    assert header.startswith("t=1,v1=")


async def test_subscribed_events_are_delivered_once_each_in_order(
    sandbox: Sandbox, account: Account
) -> None:
    endpoint = await sandbox.endpoint("payment_intent.created", "payment_intent.succeeded")
    await account.paid()
    before = await account.get("/v1/events", delivery_success="false")
    await sandbox.deliverer.deliver_due()
    await sandbox.deliverer.deliver_due()
    after = await account.get("/v1/events", delivery_success="false")

    assert sandbox.shop.types == ["payment_intent.created", "payment_intent.succeeded"]
    assert sandbox.statuses() == ["delivered", "delivered"]
    assert (len(before["data"]), len(after["data"])) == (2, 0)
    assert account.state.events[0]["pending_webhooks"] == 0
    for body, header in zip(sandbox.shop.bodies, sandbox.shop.headers, strict=True):
        assert header.startswith(f"t={account.state.now()},")
        stripe.WebhookSignature.verify_header(body, header, endpoint["secret"])


async def test_a_delivery_has_the_version_of_its_endpoint(
    sandbox: Sandbox, account: Account
) -> None:
    await sandbox.endpoint(api_version="2026-09-30.endive")
    await account.customer()
    await sandbox.deliverer.deliver_due()

    assert sandbox.shop.received[0]["api_version"] == "2026-09-30.endive"
    assert account.state.events[0]["api_version"] == "2026-10-28.endive"


@pytest.mark.parametrize("answer", [500, 503, 400, 404, 301, 307, httpx.ConnectError("refused")])
async def test_anything_but_success_is_tried_again_and_signed_anew(
    sandbox: Sandbox, account: Account, answer: int | Exception
) -> None:
    await sandbox.endpoint()
    await account.customer()
    sandbox.shop.answers = [answer]

    await sandbox.deliverer.deliver_due()
    await sandbox.later(9)
    too_early = len(sandbox.shop.received)
    await sandbox.later(1)

    assert too_early == 1
    assert [event["id"] for event in sandbox.shop.received] == [account.state.events[0]["id"]] * 2
    assert sandbox.shop.headers[0] != sandbox.shop.headers[1]
    assert sandbox.statuses() == ["delivered"]
    attempts = account.state.deliveries[account.state.events[0]["id"]][0].attempts
    assert [each.status for each in attempts] == [
        None if isinstance(answer, Exception) else answer,
        200,
    ]


async def test_retries_end(sandbox: Sandbox, account: Account) -> None:
    await sandbox.endpoint()
    await account.customer()
    sandbox.shop.answers = [500] * 9
    for _ in range(6):
        await sandbox.later(100)

    assert len(sandbox.shop.received) == 3
    assert sandbox.statuses() == ["failed"]
    assert account.state.events[0]["pending_webhooks"] == 1
    missed = await account.get("/v1/events", delivery_success="false")
    assert len(missed["data"]) == 1


async def test_a_disabled_endpoint_misses_what_happens_meanwhile(
    sandbox: Sandbox, account: Account
) -> None:
    endpoint = await sandbox.endpoint()
    path = f"/v1/webhook_endpoints/{endpoint['id']}"
    await account.customer()
    await account.post(path, disabled="true")
    await sandbox.deliverer.deliver_due()
    await account.customer()
    await account.post(path, disabled="false")
    await sandbox.deliverer.deliver_due()

    assert sandbox.shop.received == []
    assert sandbox.statuses() == ["failed"]


async def test_an_event_can_be_sent_again(sandbox: Sandbox, account: Account) -> None:
    await sandbox.endpoint()
    await account.customer()
    await sandbox.deliverer.deliver_due()
    event = account.state.events[0]
    await account.admin(f"stripe/events/{event['id']}/redeliver")
    await sandbox.deliverer.deliver_due()
    shown = (await account.client.get("/_sandbox/stripe/events")).json()["events"][0]

    assert [each["id"] for each in sandbox.shop.received] == [event["id"]] * 2
    assert [each["status"] for each in shown["deliveries"]] == ["delivered", "delivered"]
    assert shown["deliveries"][0]["attempts"][0]["status"] == 200


async def test_a_rolled_secret_signs_along_until_it_expires(
    sandbox: Sandbox, account: Account
) -> None:
    endpoint = await sandbox.endpoint()
    rolled = await account.admin(
        f"stripe/webhook_endpoints/{endpoint['id']}/roll", keep_seconds=3600
    )
    await account.customer()
    await sandbox.deliverer.deliver_due()
    account.clock.advance(3600)
    await account.customer()
    await sandbox.deliverer.deliver_due()

    during, afterwards = (header.count("v1=") for header in sandbox.shop.headers)
    assert rolled["secret"] != endpoint["secret"]
    assert (during, afterwards) == (2, 1)


async def test_a_lost_event_never_arrives(sandbox: Sandbox, account: Account) -> None:
    await sandbox.endpoint()
    sandbox.desk.add(NewFault(backend="webhooks", kind="lose", path="customer.*"))
    await account.customer()
    await account.customer()
    await sandbox.later(0)
    await sandbox.later(1000)

    assert [each["id"] for each in sandbox.shop.received] == [account.state.events[1]["id"]]
    assert sandbox.statuses() == ["lost", "delivered"]


async def test_a_repeated_event_arrives_twice(sandbox: Sandbox, account: Account) -> None:
    await sandbox.endpoint()
    sandbox.desk.add(NewFault(backend="webhooks", kind="repeat"))
    await account.customer()
    await sandbox.deliverer.deliver_due()

    assert len(sandbox.shop.received) == 2
    assert sandbox.shop.received[0] == {**sandbox.shop.received[1], "pending_webhooks": 1}


async def test_a_reordered_event_is_overtaken_by_the_next(
    sandbox: Sandbox, account: Account
) -> None:
    await sandbox.endpoint("charge.succeeded", "payment_intent.succeeded")
    sandbox.desk.add(NewFault(backend="webhooks", kind="reorder"))
    await account.paid()
    await sandbox.deliverer.deliver_due()

    assert sandbox.shop.types == ["payment_intent.succeeded", "charge.succeeded"]
    assert sandbox.statuses() == ["delivered", "delivered"]


async def test_a_reordered_event_that_nothing_overtakes_arrives_in_the_end(
    sandbox: Sandbox, account: Account
) -> None:
    await sandbox.endpoint()
    sandbox.desk.add(NewFault(backend="webhooks", kind="reorder"))
    await account.customer()
    await sandbox.deliverer.deliver_due()
    at_first = len(sandbox.shop.received)
    await sandbox.deliverer.deliver_due()

    assert (at_first, len(sandbox.shop.received)) == (0, 1)
    assert sandbox.statuses() == ["delivered"]


async def test_held_events_wait_until_the_fault_is_removed(
    sandbox: Sandbox, account: Account
) -> None:
    await sandbox.endpoint()
    fault = sandbox.desk.add(NewFault(backend="webhooks", kind="hold", times=None))
    await account.customer()
    await account.customer()
    await sandbox.later(0)
    await sandbox.later(1000)
    meanwhile = len(sandbox.shop.received)
    sandbox.desk.remove(fault.id)
    await sandbox.deliverer.deliver_due()

    assert meanwhile == 0
    assert [each["id"] for each in sandbox.shop.received] == [
        each["id"] for each in account.state.events
    ]


async def test_a_used_up_hold_still_holds_what_it_caught(
    sandbox: Sandbox, account: Account
) -> None:
    await sandbox.endpoint()
    fault = sandbox.desk.add(NewFault(backend="webhooks", kind="hold", times=1))
    first = await account.customer()
    second = await account.customer()
    await sandbox.deliverer.deliver_due()
    sandbox.desk.remove(fault.id)
    await sandbox.deliverer.deliver_due()

    arrived = [each["data"]["object"]["id"] for each in sandbox.shop.received]
    assert arrived == [second["id"], first["id"]]


async def test_a_reset_account_sends_nothing_more(sandbox: Sandbox, account: Account) -> None:
    await sandbox.endpoint()
    await account.customer()
    await account.admin("stripe/reset")
    await sandbox.deliverer.deliver_due()
    assert sandbox.shop.received == []


async def test_a_running_deliverer_sends_what_happens(sandbox: Sandbox, account: Account) -> None:
    await sandbox.endpoint()
    running = asyncio.create_task(sandbox.deliverer.run())
    await account.customer()
    async with asyncio.timeout(PATIENCE_S):
        await sandbox.shop.arrived.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert sandbox.shop.types == ["customer.created"]


async def test_an_event_is_sent_again_to_all_who_now_listen(
    sandbox: Sandbox, account: Account
) -> None:
    await account.customer()
    path = f"stripe/events/{account.state.events[0]['id']}/redeliver"
    nobody = await account.client.post(f"/_sandbox/{path}")
    await sandbox.endpoint()
    await account.admin(path)
    await sandbox.deliverer.deliver_due()
    unknown = await account.client.post("/_sandbox/stripe/events/evt_none/redeliver")

    assert (nobody.status_code, unknown.status_code) == (400, 404)
    assert sandbox.shop.types == ["customer.created"]


async def test_a_signature_is_believed_by_who_did_not_move_the_sandboxs_clock() -> None:
    sandbox = Sandbox()
    sandbox.account.state.clock = clock = SandboxClock()
    endpoint = await sandbox.endpoint()
    clock.advance(86_400)
    await sandbox.account.customer()
    await sandbox.deliverer.deliver_due()

    stripe.WebhookSignature.verify_header(
        sandbox.shop.bodies[0], sandbox.shop.headers[0], endpoint["secret"], tolerance=300
    )


async def test_the_log_is_searched_by_what_events_are_about(
    sandbox: Sandbox, account: Account
) -> None:
    intent = await account.paid()
    everything = account.types()[::-1]
    customer = await account.customer()

    async def found(**query: str) -> tuple[list[str], int]:
        answer = (await account.client.get("/_sandbox/stripe/events", params=query)).json()
        return [event["type"] for event in answer["events"]], answer["total"]

    count = len(everything)
    assert await found(about=intent["id"]) == (everything, count)
    assert await found(about=intent["id"], limit="1", offset="1") == (everything[1:2], count)
    assert await found(about=f"{customer['id']},{intent['id']}") == (
        ["customer.created", *everything],
        count + 1,
    )
    assert await found(about="charge.succeeded") == (["charge.succeeded"], 1)
    assert await found(about="nothing") == ([], 0)
    refused = await account.client.get("/_sandbox/stripe/events", params={"limit": "all"})
    assert refused.status_code == 400


async def test_activity_differs_with_every_event_and_every_try(
    sandbox: Sandbox, account: Account
) -> None:
    async def activity() -> Json:
        return dict((await account.client.get("/_sandbox/stripe/activity")).json())

    await sandbox.endpoint()
    sandbox.shop.answers = [500]
    seen = [await activity()]
    await account.customer()
    seen.append(await activity())
    await sandbox.deliverer.deliver_due()
    seen.append(await activity())
    await sandbox.later(10)
    seen.append(await activity())

    assert len({str(each) for each in seen}) == 4
    assert seen[-1] == {"events": 1, "deliveries": 1, "attempts": 2, "waiting": 0}
