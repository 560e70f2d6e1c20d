"""The proxy for commercetools Connect, over real sockets to a client and to what it calls."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from sandbox.addresses import LOOPBACK
from sandbox.demo.processes import inherited
from tests.e2e.conftest import free_ports
from tests.e2e.proxied import (
    ORIGIN,
    PROXY_SECRET,
    Front,
    Recorder,
    away,
    node,
    proxy_environment,
    read_request,
    write_certificate,
    write_tree,
)
from tests.patience import PATIENCE_S

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
EVERY_BYTE = bytes(range(256)) * 8


class Proxy:
    """A proxy, and the front behind it."""

    def __init__(self, port: int, front: Front, process: subprocess.Popen[bytes]) -> None:
        self.port = port
        self.front = front
        self.process = process

    def records(self, answer: bytes = OK) -> Recorder:
        """Behind it, everything is answered with the same bytes from now on."""
        recorder = Recorder(answer)
        self.front.use(recorder)
        return recorder

    def raw(self, data: bytes) -> bytes:
        """All that is answered until the connection ends."""
        with socket.create_connection((LOOPBACK, self.port), PATIENCE_S) as connection:
            connection.sendall(data)
            answer = b""
            while piece := connection.recv(65_536):
                answer += piece
        return answer

    def ask(self, method: str, path: str, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"http://{LOOPBACK}:{self.port}{path}"
        return httpx.request(method, url, headers=named, trust_env=False, timeout=PATIENCE_S)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree as it is pushed, and a certificate beside it."""
    folder = tmp_path_factory.mktemp("connect")
    write_tree(folder / "tree")
    write_certificate(folder)
    return folder


@pytest.fixture(scope="module")
def certificate(folder: Path) -> Path:
    return folder / "front.pem"


@pytest.fixture(scope="module")
def main(folder: Path) -> Path:
    return folder / "tree/processor/src/main.js"


@pytest.fixture(scope="module")
def proxy(main: Path, certificate: Path) -> Iterator[Proxy]:
    front = Front(certificate, away)
    (port,) = free_ports(1)
    environment = proxy_environment(front, certificate, MAX_BODY_BYTES="65536")
    with node(main, environment, port, "/health/live") as process:
        yield Proxy(port, front, process)
    front.close()


def lines(message: bytes) -> list[str]:
    """Request or status line, and headers."""
    return message.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")


def test_a_request_arrives_with_method_target_headers_and_body_as_they_were(proxy: Proxy) -> None:
    recorder = proxy.records()
    head = [
        "PUT /api/v1/carts/%C3%A4-1?q=a%20b&&x=/../%2f HTTP/1.1",
        "Host: outside.example",
        "X-Session-ID: one",
        "x-odd: \xe9 twice",
        "X-Odd: again",
        "Idempotency-Key: key-1",
        "Stripe-Signature: t=1,v1=aa",
        "Cookie: a=b; c",
        f"Content-Length: {len(EVERY_BYTE)}",
        "Connection: close",
    ]
    proxy.raw("\r\n".join([*head, "", ""]).encode("latin-1") + EVERY_BYTE)
    [request] = recorder.requests
    arrived = lines(request)
    assert arrived[0] == head[0]
    assert arrived[1:7] == head[2:8]
    assert arrived[7] == f"Host: {LOOPBACK}:{proxy.front.port}"
    assert request.partition(b"\r\n\r\n")[2] == EVERY_BYTE


def test_an_answer_comes_back_with_status_headers_and_body_as_they_were(proxy: Proxy) -> None:
    packed = gzip.compress(EVERY_BYTE)
    head = [
        "HTTP/1.1 418 Odd",
        "Set-Cookie: a=1; Path=/",
        "Set-Cookie: b=2",
        "content-encoding: gzip",
        "X-Correlation-ID: id-1",
        "Date: Thu, 01 Jan 1970 00:00:00 GMT",
        f"Content-Length: {len(packed)}",
    ]
    proxy.records("\r\n".join([*head, "", ""]).encode() + packed)
    answer = proxy.raw(b"GET /payments HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert lines(answer)[: len(head)] == head
    assert answer.partition(b"\r\n\r\n")[2] == packed


def test_headers_of_a_connection_and_those_it_names_are_not_passed_on(proxy: Proxy) -> None:
    own = "Keep-Alive: 1\r\nTE: trailers\r\nProxy-Authorization: x\r\nUpgrade: h2c\r\nX-Mine: 1\r\n"
    answer = "HTTP/1.1 200 OK\r\nConnection: close, X-Mine\r\n" + own + "Content-Length: 0\r\n\r\n"
    recorder = proxy.records(answer.encode())
    request = f"GET /payments HTTP/1.1\r\nHost: x\r\nConnection: close, X-Mine\r\n{own}\r\n"
    back = proxy.raw(request.encode())
    for message in (recorder.requests[0], back):
        names = {line.partition(":")[0].lower() for line in lines(message)[1:]}
        assert not names & {"te", "proxy-authorization", "upgrade", "x-mine"}


@pytest.mark.parametrize(
    "target",
    [
        "/metrics",
        "/operations/proxy",
        "/operations/payment-intents",
        "/payments/..",
        "/payments/x",
        "//evil.example/payments",
        "/../payments",
        "/api/v1/orders/..",
        "/api/v1/orders/%2e%2E",
        "/api/v1/orders/a%2fb",
        "/api/v1/orders/a%5Cb",
        "/api/v1/orders/a\\b",
        "/api/v1/orders/a%00",
        "/api/v1/orders/a;b/c",
        "/pay%6Dents",
        "/PAYMENTS",
        "http://evil.example/payments",
        "https://evil.example/health/ready",
        "*",
    ],
)
def test_what_is_not_a_path_of_the_processor_never_reaches_it(proxy: Proxy, target: str) -> None:
    recorder = proxy.records()
    answer = proxy.raw(
        f"OPTIONS {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    )
    assert re.match(rb"HTTP/1.1 40[04] ", answer)
    assert recorder.requests == []


@pytest.mark.parametrize("method", ["GET", "DELETE", "POST", "HEAD"])
def test_a_body_in_chunks_smuggles_no_second_request(proxy: Proxy, method: str) -> None:
    recorder = proxy.records(b"HTTP/1.1 204 No Content\r\n\r\n")
    inner = b"GET /payments HTTP/1.1\r\nHost: x\r\n\r\n"
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(inner), inner)
    proxy.raw(
        f"{method} /payments HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n".encode()
        + b"Connection: close\r\n\r\n"
        + chunked
    )
    [request] = recorder.requests
    assert f"Content-Length: {len(inner)}" in lines(request)
    assert request.endswith(inner)


def test_a_request_with_two_framings_is_refused(proxy: Proxy) -> None:
    recorder = proxy.records()
    two = b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    answer = proxy.raw(b"POST /payments HTTP/1.1\r\nHost: x\r\n" + two)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert recorder.requests == []


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_body_beyond_the_limit_is_refused(proxy: Proxy, framing: str) -> None:
    recorder = proxy.records()
    large = b"x" * 65_537
    data: bytes | Iterator[bytes] = large if framing == "length" else iter([large])
    url = f"http://{LOOPBACK}:{proxy.port}/stripe/webhooks"
    answer = httpx.post(url, content=data, trust_env=False, timeout=PATIENCE_S)
    assert answer.status_code == 413
    assert recorder.requests == []


def test_a_redirect_is_passed_on_and_not_followed(proxy: Proxy) -> None:
    location = "https://elsewhere.example/"
    answer = f"HTTP/1.1 303 See Other\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    recorder = proxy.records(answer.encode())
    redirected = proxy.ask("GET", "/payments")
    assert (redirected.status_code, redirected.headers["location"]) == (303, location)
    assert len(recorder.requests) == 1


# Whose request it is


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("192.0.2.66, 203.0.113.7:5555", "203.0.113.7"),
        ("192.0.2.66, [2001:db8::1]:443", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("203.0.113.7, unknown", "127.0.0.1"),
        ("203.0.113.7, 1.2.3.4 x", "127.0.0.1"),
        ("", "127.0.0.1"),
    ],
)
def test_the_clients_address_is_added_with_a_proof(
    proxy: Proxy, forwarded: str, client: str
) -> None:
    recorder = proxy.records()
    headers = [f"X-Forwarded-For: {forwarded}"] if forwarded else []
    forged = ["X-Proxy-Client: 198.51.100.1 forged", "x-pROXY-client: 198.51.100.2"]
    named = ["Connection: close, X-Proxy-Client", *headers, *forged, "", ""]
    proxy.raw("\r\n".join(["GET /payments HTTP/1.1", "Host: x", *named]).encode())
    [request] = recorder.requests
    [claim] = [each for each in lines(request) if each.lower().startswith("x-proxy-client:")]
    address, _, proof = claim.partition(": ")[2].partition(" ")
    assert address.removeprefix("::ffff:") == client
    expected = hmac.new(PROXY_SECRET.encode(), f"client {address}".encode(), hashlib.sha256)
    assert proof == expected.hexdigest()


# A processor in trouble


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_request_whose_answer_is_lost_is_not_sent_again(proxy: Proxy, method: str) -> None:
    received: list[bytes] = []

    def lose(connection: socket.socket) -> None:
        received.append(read_request(connection))

    proxy.front.use(lose)
    answer = proxy.ask(method, "/stored-payment-methods/pm-1", Origin=ORIGIN)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "retry-after" in answer.headers["access-control-expose-headers"].lower()
    assert answer.json()["errors"][0]["code"] == "ProcessorUnavailable"
    assert len(received) == 1


def test_a_reason_that_no_server_may_send_is_told_and_ends_nothing(proxy: Proxy) -> None:
    proxy.records(b"HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n")
    answer = proxy.ask("GET", "/stored-payment-methods", Origin=ORIGIN)
    assert answer.status_code == 503
    assert answer.json()["errors"][0]["code"] == "ProcessorUnavailable"
    proxy.records()
    assert proxy.ask("GET", "/stored-payment-methods").status_code == 200


def test_a_body_in_thousands_of_pieces_arrives_whole(proxy: Proxy) -> None:
    recorder = proxy.records()
    pieces = b"".join(b"1\r\n%c\r\n" % (each % 256) for each in range(5_000))
    head = b"POST /payments HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close"
    proxy.raw(head + b"\r\n\r\n" + pieces + b"0\r\n\r\n")
    [request] = recorder.requests
    body = request.partition(b"\r\n\r\n")[2]
    assert body == bytes(each % 256 for each in range(5_000))


def test_an_answer_that_breaks_off_is_not_mistaken_for_a_whole_one(proxy: Proxy) -> None:
    def half(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")

    proxy.front.use(half)
    with pytest.raises(httpx.RemoteProtocolError):
        proxy.ask("GET", "/payments")
    proxy.records()
    assert proxy.ask("GET", "/payments").status_code == 200


def test_while_the_processor_is_away_a_page_can_read_the_503(proxy: Proxy) -> None:
    proxy.front.use(away)
    wants = {"Access_Control_Request_Method": "POST"}
    preflight = proxy.ask("OPTIONS", "/payments", Origin=ORIGIN, **wants)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == ORIGIN
    assert preflight.headers["access-control-allow-methods"] == "GET, POST"
    assert "x-session-id" in preflight.headers["access-control-allow-headers"].lower()
    assert preflight.headers["access-control-max-age"] == "0"
    assert proxy.ask("POST", "/payments", Origin=ORIGIN).json()["statusCode"] == 503


@pytest.mark.parametrize(
    ("path", "origin"),
    [("/payments", "https://evil.example"), ("/operations/transactions", ORIGIN)],
)
def test_other_pages_and_other_routes_are_not_shared(proxy: Proxy, path: str, origin: str) -> None:
    proxy.front.use(away)
    wants = {"Access_Control_Request_Method": "POST"}
    for answer in (
        proxy.ask("OPTIONS", path, Origin=origin, **wants),
        proxy.ask("POST", path, Origin=origin),
    ):
        assert answer.status_code == 503
        assert "access-control-allow-origin" not in answer.headers


def test_a_processor_that_does_not_answer_in_time_is_a_504(main: Path, certificate: Path) -> None:
    received: list[bytes] = []
    over = threading.Event()

    def silent(connection: socket.socket) -> None:
        received.append(read_request(connection))
        over.wait(PATIENCE_S)

    front = Front(certificate, silent)
    (port,) = free_ports(1)
    environment = proxy_environment(front, certificate, REQUEST_DEADLINE_S="1")
    with node(main, environment, port, "/health/live") as process:
        answer = Proxy(port, front, process).ask("POST", "/payments", Origin=ORIGIN)
    over.set()
    front.close()
    assert answer.status_code == 504
    assert answer.json()["errors"][0]["code"] == "DeadlineExceeded"
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert len(received) == 1


def test_a_server_with_another_certificate_gets_nothing(main: Path, certificate: Path) -> None:
    recorder = Recorder(OK)
    front = Front(certificate, recorder)
    (port,) = free_ports(1)
    environment = proxy_environment(front, certificate, NODE_EXTRA_CA_CERTS="")
    with node(main, environment, port, "/health/live") as process:
        assert Proxy(port, front, process).ask("GET", "/payments").status_code == 503
    front.close()
    assert recorder.requests == []


def test_a_proxy_that_is_told_to_stop_answers_what_it_has_begun(
    main: Path, certificate: Path
) -> None:
    arrived, released = threading.Event(), threading.Event()

    def slow(connection: socket.socket) -> None:
        read_request(connection)
        arrived.set()
        released.wait(PATIENCE_S)
        connection.sendall(OK)

    front = Front(certificate, slow)
    (port,) = free_ports(1)
    with (
        node(main, proxy_environment(front, certificate), port, "/health/live") as process,
        socket.create_connection((LOOPBACK, port), PATIENCE_S) as shopper,
    ):
        shopper.sendall(b"GET /payments HTTP/1.1\r\nHost: x\r\n\r\n")
        arrived.wait(PATIENCE_S)
        process.send_signal(signal.SIGTERM)
        while True:
            try:
                socket.create_connection((LOOPBACK, port)).close()
            except ConnectionRefusedError:
                break  # it takes nothing new
        released.set()
        assert shopper.recv(65_536).startswith(b"HTTP/1.1 200 OK")
        assert process.wait(PATIENCE_S) == 0
    front.close()


# Settings


def test_every_problem_of_the_settings_is_listed_without_its_value(main: Path) -> None:
    environment = {
        "PROCESSOR_URL": "http://{}:{}@processor.example".format("user", "word"),
        "PROXY_SECRET": "too-short",
        "ALLOWED_ORIGINS": "*",
        "REQUEST_DEADLINE_S": "0",
        "TRUSTED_PROXIES": "-1",
        "MAX_BODY_BYTES": "x",
        "NODE_TLS_REJECT_UNAUTHORIZED": "0",
    }
    done = subprocess.run(  # noqa: S603 - our own script
        ["node", main],  # noqa: S607
        env={**inherited(), **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 2
    assert [name for name in environment if name not in done.stdout] == []
    assert "word" not in done.stdout
    assert "too-short" not in done.stdout


def peak_bytes(pid: int) -> int:
    """The most memory that a process has held (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])  # type: ignore[index]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_bodies_in_many_pieces_take_no_more_memory_than_their_bytes(
    main: Path, certificate: Path
) -> None:
    """A piece that is kept as such takes hundreds of bytes: 800,000 of them would be 500 MiB."""
    front = Front(certificate, away)
    (port,) = free_ports(1)
    environment = proxy_environment(front, certificate, MAX_BODY_BYTES="1048576")
    head = (
        b"POST /stripe/webhooks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
        b"Connection: close\r\n\r\n"
    )
    pieces = b"1\r\nx\r\n" * 20_000
    with node(main, environment, port, "/health/live") as process, ExitStack() as stack:
        before = peak_bytes(process.pid)
        waiting = [
            stack.enter_context(socket.create_connection((LOOPBACK, port), PATIENCE_S))
            for _ in range(4)
        ]
        for each in waiting:
            each.sendall(head)
        for _ in range(10):
            for each in waiting:
                each.sendall(pieces)
        for each in waiting:
            each.sendall(b"0\r\n\r\n")
        answers = [each.recv(12) for each in waiting]
        assert {answer[:9] for answer in answers} == {b"HTTP/1.1 "}
        assert peak_bytes(process.pid) - before < 200 * 2**20
    front.close()
