"""A web page that a developer visits, while the sandbox runs on the same machine.

It posts without asking, sends forms with credentials in their address, and has its own name point
to 127.0.0.1. Everything here is real: processes, sockets and, where it is installed, Chromium.
"""

from __future__ import annotations

import base64
import http.server
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import sync_playwright

from sandbox.addresses import Addresses, url
from sandbox.demo.client import open_client
from sandbox.demo.people import ISSUER, SECRET_KEY
from sandbox.demo.start import processor, stand_ins
from tests.browser.conftest import FLAGS, chromium
from tests.e2e.conftest import free_ports

Json = dict[str, Any]
PLACES = ("processor", "jwt", "commercetools", "stripe", "shop")


class Victim:
    """A developer's machine."""

    def __init__(self, at: Addresses, client: httpx.Client) -> None:
        self.at = at
        self.client = client

    def port(self, place: str) -> int:
        return int(getattr(self.at, place))

    def get(self, place: str, path: str, **headers: str) -> Any:
        answer = self.client.get(url(self.port(place)) + path, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def state(self) -> Json:
        """All that a page would like to move."""
        key = {"Authorization": f"Bearer {SECRET_KEY}"}
        return {
            "faults": self.get("stripe", "/_sandbox/faults")["faults"],
            "keys": [each["kid"] for each in self.get("jwt", "/jwt/.well-known/jwks.json")["keys"]],
            "project": self.get("commercetools", "/_sandbox/commercetools/state"),
            "endpoints": len(self.get("stripe", "/v1/webhook_endpoints", **key)["data"]),
            "events": len(self.get("stripe", "/_sandbox/stripe/events")["events"]),
        }


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    at = Addresses(*free_ports(5))
    logs = tmp_path_factory.mktemp("logs")
    with ExitStack() as stack:
        client = stack.enter_context(open_client())
        stack.enter_context(stand_ins(at, client, logs))
        stack.enter_context(processor(at, client, logs))
        yield Victim(at, client)


def send(port: int, method: str, path: str, headers: list[str], body: bytes = b"") -> int:
    """One request exactly as written; the status of its answer."""
    lines = [f"{method} {path} HTTP/1.1", *headers, f"Content-Length: {len(body)}"]
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode() + body)
        with connection.makefile("rb") as answer:
            return int(answer.readline().split()[1])


OPEN_PATHS = {
    "processor": "/config",
    "jwt": "/jwt/.well-known/jwks.json",
    "commercetools": "/_sandbox/commercetools/state",
    "stripe": "/_sandbox/stripe/events",
    "shop": "/",
}
FOREIGN_HOSTS = [
    "Host: rebind.evil.test",
    "Host: rebind.evil.test:{port}",
    "Host: localhost.evil.test:{port}",
    "Host: evil-localhost:{port}",
    "Host: 127.0.0.1.nip.io:{port}",
    "Host: localhost@evil.test:{port}",
    "Host: localhost:{port}@evil.test",
    "Host: localhost.:{port}",
    "Host: localhost:{port}:1",
    "Host: localhost, evil.test",
    "Host: 0.0.0.0:{port}",
    "Host: 2130706433:{port}",
    "Host: [::ffff:127.0.0.1]:{port}",
    "Host: [::2]:{port}",
    "Host: ",
    "Host: localhost:{port}\r\nHost: evil.test",
    "X-Forwarded-Host: localhost:{port}\r\nHost: evil.test",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_no_port_serves_a_name_that_is_not_this_machines(
    victim: Victim, place: str, host: str
) -> None:
    port = victim.port(place)
    status = send(port, "GET", OPEN_PATHS[place], [host.format(port=port)])
    assert status in (400, 421)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "host",
    ["localhost:{port}", "localhost", "127.0.0.1:{port}", "LOCALHOST:{port}", "[::1]:{port}"],
)
def test_every_port_serves_this_machines_names(victim: Victim, place: str, host: str) -> None:
    port = victim.port(place)
    assert send(port, "GET", OPEN_PATHS[place], [f"Host: {host.format(port=port)}"]) == 200


def test_probes_come_by_the_address_of_an_instance(victim: Victim) -> None:
    assert send(victim.at.processor, "GET", "/health/ready", ["Host: 10.1.2.3:8080"]) == 200
    assert send(victim.at.processor, "GET", "/config", ["Host: 10.1.2.3:8080"]) == 421


FORM = "Content-Type: application/x-www-form-urlencoded"
TEXT = "Content-Type: text/plain;charset=UTF-8"
JSON = "Content-Type: application/json"
FAULT = b'{"backend":"stripe","method":"*","path":"*","action":"fail","status":500}'
ADVANCE = b'{"advance":86400}'
ENDPOINT = b"url=http://127.0.0.1:1/x&enabled_events[]=*"
BASIC_STRIPE = "Authorization: Basic " + base64.b64encode(f"{SECRET_KEY}:".encode()).decode()
BASIC_ADMIN = (
    "Authorization: Basic " + base64.b64encode(b"sandbox-admin:sandbox-admin-secret").decode()
)
WRITES: list[tuple[str, str, list[str], bytes]] = [
    ("stripe", "/_sandbox/faults", [TEXT], FAULT),
    ("commercetools", "/_sandbox/faults", [TEXT], FAULT),
    ("stripe", "/_sandbox/clock", [TEXT], ADVANCE),
    ("stripe", "/_sandbox/stripe/reset", [], b""),
    ("stripe", "/_sandbox/stripe/reset", [FORM], b"a=b"),
    ("commercetools", "/_sandbox/commercetools/reset", [], b""),
    ("commercetools", "/_sandbox/commercetools/tokens/revoke", [TEXT], b"{}"),
    ("jwt", "/jwt/rotate", [], b""),
    ("jwt", "/jwt/token", [TEXT], b"{}"),
    ("stripe", "/v1/webhook_endpoints", [BASIC_STRIPE, FORM], ENDPOINT),
    ("commercetools", "/oauth/token", [BASIC_ADMIN, FORM], b"grant_type=client_credentials"),
    ("shop", "/desk/sign-in", [FORM], b"name=Mallory"),
    ("shop", "/cart/add", [FORM], b"sku=stoneware-mug-1"),
]
"""What a page may send to any address without asking first, and that would change something."""

FROM_A_PAGE = [
    ["Origin: https://evil.test", "Sec-Fetch-Site: cross-site"],
    ["Origin: https://evil.test"],
    ["Origin: null", "Sec-Fetch-Site: cross-site"],
    ["Sec-Fetch-Site: cross-site"],
    ["Origin: http://127.0.0.1:1", "Sec-Fetch-Site: same-site"],
    ["Sec-Fetch-Site: same-site"],
    ["Origin: http://localhost.evil.test"],
    ["Origin: http://localhost:{port}\r\nOrigin: https://evil.test"],
    ["Origin: http://localhost:{port}.evil.test"],
]
"""How browsers say so."""


@pytest.mark.parametrize(
    ("place", "path", "headers", "body"), WRITES, ids=lambda each: str(each)[:40]
)
def test_a_page_of_another_origin_changes_nothing(
    victim: Victim, place: str, path: str, headers: list[str], body: bytes
) -> None:
    before = victim.state()
    port = victim.port(place)
    for sender in FROM_A_PAGE:
        said = [f"Host: localhost:{port}", *headers, *(each.format(port=port) for each in sender)]
        assert send(port, "POST", path, said, body) == 403, said
    assert victim.state() == before


@pytest.mark.parametrize(
    ("place", "path", "headers", "body"), WRITES[:8], ids=lambda each: str(each)[:40]
)
def test_what_moves_the_sandbox_takes_json_or_a_header_of_its_own(
    victim: Victim, place: str, path: str, headers: list[str], body: bytes
) -> None:
    """Also of clients that do not say where a request comes from, as old browsers did not."""
    before = victim.state()
    port = victim.port(place)
    assert send(port, "POST", path, [f"Host: localhost:{port}", *headers], body) == 415
    assert victim.state() == before


def test_programs_pass(victim: Victim) -> None:
    """curl, SDKs and Stripe's CLI: no Origin, any form of credentials, Host localhost:port."""
    stripe, tokens = victim.at.stripe, victim.at.commercetools
    here = [f"Host: localhost:{stripe}"]
    bearer = f"Authorization: Bearer {SECRET_KEY}"
    assert send(stripe, "POST", "/v1/customers", [*here, bearer, FORM], b"name=Lin") == 200
    assert send(stripe, "POST", "/v1/customers", [*here, BASIC_STRIPE, FORM], b"name=Lin") == 200
    here = [f"Host: localhost:{tokens}"]
    form = b"grant_type=client_credentials"
    assert send(tokens, "POST", "/oauth/token", [*here, BASIC_ADMIN, FORM], form) == 200
    jwt = victim.at.jwt
    claims = json.dumps({"iss": ISSUER, "sub": "x"}).encode()
    assert send(jwt, "POST", "/jwt/token", [f"Host: localhost:{jwt}", JSON], claims) == 200
    assert send(jwt, "POST", "/jwt/rotate", [f"Host: localhost:{jwt}", "X-Sandbox: 1"]) == 200
    clock = [f"Host: localhost:{stripe}", JSON]
    assert send(stripe, "POST", "/_sandbox/clock", clock, b'{"advance":0}') == 200


def test_names_and_pages_that_are_listed_are_served(tmp_path: Path) -> None:
    """As in containers, where the stand-ins have a name, and beside a storefront of one's own."""
    at = Addresses(*free_ports(5))
    listed = {"SANDBOX_ALLOWED_HOSTS": "sandbox, stand-ins.test"}
    listed["SANDBOX_MORE_ORIGINS"] = "http://localhost:5173"
    with pytest.MonkeyPatch.context() as patch, open_client() as client:
        for name, value in listed.items():
            patch.setenv(name, value)
        with stand_ins(at, client, tmp_path):
            for host, status in (
                ("sandbox:9010", 200),
                ("stand-ins.test", 200),
                ("other.test", 421),
                (f"localhost:{at.commercetools}", 200),
            ):
                path = OPEN_PATHS["commercetools"]
                assert send(at.commercetools, "GET", path, [f"Host: {host}"]) == status
            here = [f"Host: localhost:{at.jwt}", JSON]
            for origin, status in (("http://localhost:5173", 200), ("http://localhost:5174", 403)):
                said = [*here, f"Origin: {origin}"]
                assert send(at.jwt, "POST", "/jwt/token", said, b"{}") == status


PAGE = """<!doctype html><title>evil</title><body><script>
const FAULT = '{"backend":"stripe","method":"*","path":"*","action":"fail","status":500}';
const quiet = (port, path, body, type) => fetch(`http://${HOST}:${port}${path}`, {
  method: 'POST', mode: 'no-cors', body, headers: type ? {'content-type': type} : {},
}).catch(() => {});
const form = (port, path, fields, credentials) => new Promise((done) => {
  const frame = document.createElement('iframe');
  frame.name = `f${Math.random()}`;
  const sent = document.createElement('form');
  sent.method = 'POST'; sent.target = frame.name;
  sent.action = `http://${credentials}${HOST}:${port}${path}`;
  for (const [name, value] of Object.entries(fields)) {
    const input = document.createElement('input');
    input.name = name; input.value = value; sent.append(input);
  }
  document.body.append(frame, sent);
  frame.onload = () => done(); setTimeout(done, 3000);
  sent.submit();
});
(async () => {
  for (const host of ['localhost', '127.0.0.1']) {
    window.HOST = host;
    await quiet(AT.stripe, '/_sandbox/faults', FAULT, 'text/plain');
    await quiet(AT.stripe, '/_sandbox/clock', '{"advance":86400}', 'text/plain');
    await quiet(AT.stripe, '/_sandbox/stripe/reset');
    await quiet(AT.commercetools, '/_sandbox/commercetools/reset');
    await quiet(AT.commercetools, '/_sandbox/commercetools/tokens/revoke', '{}');
    await quiet(AT.jwt, '/jwt/rotate');
    await quiet(AT.shop, '/desk/sign-in', 'name=Mallory', 'application/x-www-form-urlencoded');
    await form(AT.stripe, '/v1/webhook_endpoints',
      {url: 'http://127.0.0.1:1/', 'enabled_events[]': '*'}, 'sk_test_sandbox:@');
    await form(AT.stripe, '/_sandbox/faults', {[FAULT.slice(0, -1) + ',"x":"']: '"}'}, '');
    await form(AT.jwt, '/jwt/rotate', {}, '');
  }
  window.done = 1;
})();
</script></body>"""


@contextmanager
def evil_site(at: Addresses) -> Iterator[int]:
    """A site that serves one page; its port."""
    ports = json.dumps({place: getattr(at, place) for place in PLACES})
    page = PAGE.replace(
        "<script>", f"<script>window.HOST='localhost';const AT={ports};", 1
    ).encode()

    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_in_a_real_browser_no_page_moves_the_sandbox_and_no_name_gets_in(victim: Victim) -> None:
    names = "MAP evil.test 127.0.0.1, MAP rebind.evil.test 127.0.0.1"
    before = victim.state()
    with evil_site(victim.at) as port, sync_playwright() as playwright:
        flags = [*FLAGS, f"--host-resolver-rules={names}"]
        with playwright.chromium.launch(executable_path=chromium(), args=flags) as browser:
            page = browser.new_page()
            for site in (f"http://evil.test:{port}", f"http://127.0.0.1:{port}"):
                page.goto(site)
                page.wait_for_function("window.done === 1", timeout=60_000)
                assert victim.state() == before
            for place, path in OPEN_PATHS.items():
                answer = page.goto(f"http://rebind.evil.test:{victim.port(place)}{path}")
                assert answer is not None
                assert answer.status == 421
    assert victim.state() == before
