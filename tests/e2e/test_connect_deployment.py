"""The connector for commercetools Connect as a whole: checkouts through its proxy, its enabler."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from msgspec.structs import replace

from sandbox.addresses import LOOPBACK, url
from sandbox.demo.client import open_client
from sandbox.demo.people import People
from sandbox.demo.processes import Program, inherited
from sandbox.demo.start import processor
from sandbox.runner import WEBHOOK_SECRET
from sandbox.stripe.webhooks import signed
from tests.behaviour.test_http_authentication import (
    BUY_NOW,
    BUY_NOW_SHARED,
    EXPECTED,
    SHARED_WITH_BROWSERS,
)
from tests.e2e.conftest import World, free_ports
from tests.e2e.proxied import (
    ORIGIN,
    PROXY_SECRET,
    Front,
    away,
    node,
    proxy_environment,
    relay,
    write_certificate,
    write_tree,
)
from tests.patience import PATIENCE_S
from tests.unit.repository.connect_rules import problems

BEHIND = {
    "PROXY_SECRET": PROXY_SECRET,
    "ALLOWED_ORIGINS": ORIGIN,
    "BFF_REQUESTS_PER_MINUTE": "2",
    "SHUTDOWN_GRACE_S": "5",
}
ORDER = "/api/v1/orders/b5f5a0d2-5c3e-4b77-9d55-7f1a4c1f2a0"


class Deployment:
    """Stand-ins and a processor, which only the proxy's people reach through TLS."""

    def __init__(self, world: World, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.tree = folder / "tree"
        write_tree(self.tree)
        self.certificate = write_certificate(folder)
        inner, outer = free_ports(2)
        self.client = stack.enter_context(open_client())
        self._inner = replace(world.at, processor=inner)
        self._folder = folder
        self._stack = stack
        self.processor = self._start()
        self.front = Front(self.certificate, relay(inner))
        stack.callback(self.front.close)
        self.environment = proxy_environment(self.front, self.certificate)
        main = self.tree / "processor/src/main.js"
        stack.enter_context(node(main, self.environment, outer, "/health/live"))
        self.url = url(outer)
        self.direct_url = url(inner)
        self.people = People(replace(world.at, processor=outer), self.client, lambda _: None)

    def _start(self) -> Program:
        return self._stack.enter_context(processor(self._inner, self.client, self._folder, BEHIND))

    def restart(self) -> None:
        """Kill the processor and start another."""
        self.processor.kill()
        self.processor = self._start()

    def start_payment(self) -> tuple[str, str, dict[str, str]]:
        cart = self.people.cart("DE", "EUR", stoneware_mug_1=1)
        headers = {"x-session-id": self.people.session(cart), "Origin": ORIGIN}
        started = self.people.ask("POST", "/payments", headers)
        return started["paymentReference"], started["clientSecret"], headers

    def confirm(self, payment_id: str, secret: str, headers: dict[str, str]) -> str:
        body = {"paymentIntent": secret.partition("_secret_")[0]}
        answer = self.people.ask("POST", f"/confirmPayments/{payment_id}", headers, body)
        return str(answer["outcome"])

    def post_deploy(self, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - our own script
            ["node", self.tree / "processor/src/post_deploy.js"],  # noqa: S607
            env={**inherited(), **self.environment, **settings},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )


@pytest.fixture(scope="module")
def deployed(shared: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with ExitStack() as stack:
        yield Deployment(shared, tmp_path_factory.mktemp("connect"), stack)


def test_a_checkout_goes_through_while_the_processor_is_away_and_restarts(
    deployed: Deployment,
) -> None:
    people = deployed.people
    payment_id, secret, headers = deployed.start_payment()
    people.pay(secret, "pm_card_visa")

    pass_on = deployed.front.handler
    deployed.front.use(away)
    path = f"{deployed.url}/confirmPayments/{payment_id}"
    intent = secret.partition("_secret_")[0]
    refused = deployed.client.post(path, json={"paymentIntent": intent}, headers=headers)
    assert refused.status_code == 503
    assert refused.headers["access-control-allow-origin"] == ORIGIN
    deployed.front.use(pass_on)
    assert deployed.confirm(payment_id, secret, headers) == "approved"

    amount = {"centAmount": 500, "currencyCode": "EUR"}

    def refund() -> str:
        return people.modify(payment_id, "one", action="refundPayment", amount=amount)

    assert refund() == "approved"
    deployed.restart()
    assert refund() == "approved"
    found = people.compare(payment_id)
    assert found.agrees
    assert [each for each in found.recorded if each[0] == "Refund"] == [("Refund", 500, "Success")]
    people.modify(payment_id, "two", action="refundPayment", amount=amount)
    found = people.compare(payment_id)
    assert [each for each in found.recorded if each[0] == "Refund"] == [
        ("Refund", 500, "Success"),
        ("Refund", 500, "Success"),
    ]


def test_the_merchant_center_reads_status_and_components(deployed: Deployment) -> None:
    headers = {"Authorization": f"Bearer {deployed.people.merchant_center_token()}"}
    assert deployed.people.ask("GET", "/operations/status", headers)["status"] == "OK"
    components = deployed.people.ask("GET", "/operations/payment-components", headers)
    assert components["dropins"]


def test_a_storefronts_preflight_is_the_processors(deployed: Deployment) -> None:
    headers = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    through = deployed.client.options(f"{deployed.url}/payments", headers=headers)
    direct = deployed.client.options(f"{deployed.direct_url}/payments", headers=headers)
    assert through.status_code == direct.status_code == 204
    for name in ("allow-origin", "allow-methods", "allow-headers", "max-age"):
        full = f"access-control-{name}"
        assert through.headers[full] == direct.headers[full]
    evil = {**headers, "Origin": "https://evil.example"}
    refused = deployed.client.options(f"{deployed.url}/payments", headers=evil)
    assert refused.status_code == 403


def test_a_webhook_keeps_its_bytes_so_its_signature_holds(deployed: Deployment) -> None:
    event: dict[str, Any] = {
        "id": "evt_proxied",
        "object": "event",
        "type": "plan.created",
        "api_version": "2026-10-28.endive",
        "created": 1,
        "livemode": False,
        "data": {"object": {"id": "plan_\u00e9", "object": "plan"}},
    }
    body, signature = signed(event, WEBHOOK_SECRET, int(time.time()))
    headers = {"Stripe-Signature": signature, "Content-Type": "application/json"}
    target = f"{deployed.url}/stripe/webhooks"
    assert deployed.client.post(target, content=body, headers=headers).status_code == 200
    changed = body.replace(b"evt_proxied", b"evt_another")
    assert deployed.client.post(target, content=changed, headers=headers).status_code == 400


def test_limits_count_shoppers_and_not_the_proxy(deployed: Deployment) -> None:
    def statuses(address: str, last: int) -> list[int]:
        headers = {"X-Forwarded-For": f"192.0.2.1, {address}", "X-Proxy-Client": "198.51.100.1 x"}
        path = f"{deployed.url}{ORDER}{last}"
        return [deployed.client.get(path, headers=headers).status_code for _ in range(3)]

    for last in (1, 2, 3):
        assert statuses(f"203.0.113.{last}", last) == [404, 404, 429]
    assert statuses("203.0.113.1", 4)[0] == 429


def test_an_address_without_proof_is_refused_where_the_proxy_is_passed_by(
    deployed: Deployment,
) -> None:
    for claim in ("203.0.113.1", "203.0.113.1 " + "0" * 64):
        headers = {"X-Proxy-Client": claim}
        answer = deployed.client.get(f"{deployed.direct_url}{ORDER}5", headers=headers)
        assert answer.status_code == 403


# Post-deploy


def test_post_deploy_finds_a_sound_processor(deployed: Deployment) -> None:
    done = deployed.post_deploy(CONNECT_SERVICE_URL=deployed.url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAILED" not in done.stdout
    assert "Stripe delivers to the processor" in done.stdout
    assert PROXY_SECRET not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"PROXY_SECRET": "f" * 32}, "set the same PROXY_SECRET"),
        ({"ALLOWED_ORIGINS": f"{ORIGIN},https://other.example"}, "ALLOWED_ORIGINS differ"),
        ({"REQUEST_DEADLINE_S": "20"}, "REQUEST_DEADLINE_S is 25 at the processor, 20 here"),
        ({"REQUEST_DEADLINE_S": "299"}, "may take 301 s, and the platform allows 300"),
        ({"PROCESSOR_URL": f"https://{LOOPBACK}:1"}, "ECONNREFUSED"),
        ({"PROXY_SECRET": ""}, "PROXY_SECRET must have at least 32 characters"),
    ],
    ids=lambda each: next(iter(each)) if isinstance(each, dict) else "",
)
def test_post_deploy_fails_for_what_does_not_agree(
    deployed: Deployment, settings: dict[str, str], says: str
) -> None:
    done = deployed.post_deploy(**settings)
    assert done.returncode == 1
    assert says in done.stdout


def test_post_deploy_fails_where_stripe_would_deliver_to_the_proxy(deployed: Deployment) -> None:
    done = deployed.post_deploy(CONNECT_SERVICE_URL=deployed.direct_url)
    assert done.returncode == 1
    assert "CONNECT_SERVICE_URL of the processor is the proxy's" in done.stdout


def test_the_report_for_post_deploy_opens_to_nobody_else(deployed: Deployment) -> None:
    right = hmac.new(PROXY_SECRET.encode(), b"post-deploy", hashlib.sha256).hexdigest()
    path = f"{deployed.direct_url}/operations/proxy"
    for token in (PROXY_SECRET, right[:-1], "f" * 64):
        headers = {"Authorization": f"Bearer {token}"}
        assert deployed.client.get(path, headers=headers).status_code == 401
    headers = {"Authorization": f"Bearer {right}"}
    assert deployed.client.get(path, headers=headers).status_code == 200
    through = f"{deployed.url}/operations/proxy"
    assert deployed.client.get(through, headers=headers).status_code == 404


# What is pushed


def test_the_tree_is_what_connect_accepts(deployed: Deployment) -> None:
    document = yaml.safe_load((deployed.tree / "connect.yaml").read_text())
    assert problems(document) == []
    for application in document["deployAs"]:
        folder = deployed.tree / application["name"]
        assert (folder / "src").is_dir()
        scripts = json.loads((folder / "package.json").read_text())["scripts"]
        for script in scripts.values():
            assert (folder / script.split()[-1]).is_file() or script == "node --test"
        post_deploy = application.get("scripts", {}).get("postDeploy", "npm run start")
        assert post_deploy.removeprefix("npm run ") in scripts


def test_it_passes_on_the_processors_paths_and_no_others(deployed: Deployment) -> None:
    table = json.loads((deployed.tree / "processor/src/routes.json").read_text())
    own = {"/health/live"}
    assert table["paths"].keys() == {path for _, path in {**EXPECTED, **BUY_NOW}} - own
    shared = {path for path, methods in table["paths"].items() if methods}
    assert shared == SHARED_WITH_BROWSERS | BUY_NOW_SHARED


def test_the_service_is_small(deployed: Deployment) -> None:
    sources = (deployed.tree / "processor/src").glob("*.js")
    written = {each.name: len(each.read_text().splitlines()) for each in sources}
    del written["post_deploy.js"]  # it runs once, at deployment
    assert sum(written.values()) <= 300


def test_the_enabler_is_served_to_pages_of_any_origin(deployed: Deployment) -> None:
    (port,) = free_ports(1)
    script = deployed.tree / "enabler/src/serve.js"
    with node(script, {}, port, "/connector-enabler.umd.js"):
        for name in ("connector-enabler.es.js", "connector-enabler.umd.js"):
            answer = httpx.get(f"{url(port)}/{name}?v=1", trust_env=False)
            assert answer.content == (deployed.tree / "enabler/public" / name).read_bytes()
            assert answer.headers["access-control-allow-origin"] == "*"
            assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
        for path in ("/", "/../package.json", "/%2e%2e/package.json", "/types/index.d.ts"):
            assert httpx.get(f"{url(port)}{path}", trust_env=False).status_code == 404
