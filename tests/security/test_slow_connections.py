"""Somebody with many connections, slow or endless ones: others are answered all the while."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator

import pytest

from stripe_connector.connections import MAX_HEAD_BYTES, MAX_HEADERS
from tests.security.sockets import Target, is_open, processor, rest, status

MOST_REQUESTS = 5
MOST_CONNECTIONS = 60
MOST_BYTES = 2**21


@pytest.fixture
def target(server: Target) -> Iterator[Target]:
    yield server
    server.hang_up()


@pytest.fixture(scope="module")
def server() -> Iterator[Target]:
    """A processor with small limits and little patience."""
    with processor(
        {
            "MAX_CONCURRENT_REQUESTS": str(MOST_REQUESTS),
            "MAX_CONNECTIONS": str(MOST_CONNECTIONS),
            "MAX_BYTES_IN_FLIGHT": str(MOST_BYTES),
            "REQUEST_RECEIVE_S": "1",
            "BFF_REQUESTS_PER_MINUTE": "0",
        }
    ) as started:
        yield started


def signature() -> str:
    """A signature in form and of now, that no secret has made."""
    return f"t={time.time():.0f},v1={'0' * 64}"


def posting(path: str, sent: bytes, *, length: int, header: str = "") -> bytes:
    """A request whose body is longer than what is sent of it."""
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {length}"]
    lines += [header] if header else []
    return "\r\n".join([*lines, "", ""]).encode() + sent


def slow_cart() -> bytes:
    return posting("/api/v1/carts", b"{", length=100)


def slow_webhook() -> bytes:
    return posting("/stripe/webhooks", b"{", length=100, header=f"Stripe-Signature: {signature()}")


HALF: dict[str, Callable[[], bytes]] = {
    "half a method": lambda: b"GE",
    "half a path": lambda: b"GET /conf",
    "half a header": lambda: b"GET /config HTTP/1.1\r\nHost: x\r\nX-",
    "no end of headers": lambda: b"GET /config HTTP/1.1\r\nHost: x\r\n",
    "half a body": slow_cart,
    "half a delivery": slow_webhook,
    "half a chunk": lambda: (
        b"POST /api/v1/carts HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"
    ),
}


@pytest.mark.parametrize("half", HALF.values(), ids=HALF)
def test_a_request_that_does_not_end_is_cut_with_an_answer(
    target: Target, half: Callable[[], bytes]
) -> None:
    answer = target.ask(half())
    assert status(answer) == 408
    assert b'"code":"RequestTimeout"' in answer


@pytest.mark.parametrize("sent", [b"", b"\r\n"])
def test_a_connection_that_asks_nothing_is_ended_without_a_word(
    target: Target, sent: bytes
) -> None:
    """A proxy that opened it ahead would take a word for the answer to its next request."""
    assert target.ask(sent) == b""


TRICKLED: dict[str, tuple[Callable[[], bytes], bytes]] = {
    "headers": (lambda: b"GET /config HTTP/1.1\r\nHost: x\r\n", b"X: a\r\n"),
    "line breaks": (lambda: b"", b"\r\n"),
    "body": (slow_cart, b" "),
    "after an answer": (lambda: b"GET /config HTTP/1.1\r\nHost: x\r\n\r\n", b"\r\n"),
    "a body that is not wanted": (
        lambda: posting("/stripe/webhooks", b"", length=10**9, header="Stripe-Signature: x"),
        b" ",
    ),
    "chunks": (
        lambda: b"POST /api/v1/carts HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"1\r\n \r\n",
    ),
}


@pytest.mark.parametrize(("begin", "more"), TRICKLED.values(), ids=TRICKLED)
def test_a_byte_now_and_then_keeps_no_connection(
    target: Target, begin: Callable[[], bytes], more: bytes
) -> None:
    """The client ends after far more than the time that a request has, unless it was cut."""
    connection = target.connect(begin())
    connection.settimeout(0.05)
    for _ in range(600):
        try:
            connection.sendall(more)
            if connection.recv(65_536) == b"":
                break
        except TimeoutError:
            continue
        except ConnectionError:
            break
    else:
        pytest.fail("The connection is still there.")


ENDLESS: dict[str, tuple[bytes, bytes, set[int]]] = {
    "headers": (b"GET /config HTTP/1.1\r\nHost: x\r\n", b"X-A: " + b"a" * 8_000 + b"\r\n", {431}),
    "one header": (b"GET /config HTTP/1.1\r\nHost: x\r\nX-A: ", b"a" * 8_192, {431}),
    "the name of a header": (b"GET /config HTTP/1.1\r\nHost: x\r\n", b"a" * 8_192, {431}),
    "the path": (b"GET /", b"a" * 8_192, {431}),
    "small headers": (b"GET /config HTTP/1.1\r\nHost: x\r\n", b"X: a\r\n" * 50, {431}),
    "a chunk's extension": (
        b"POST /api/v1/carts HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;",
        b"a" * 65_536,
        {503, 408, 400},
    ),
    "trailers": (
        b"POST /api/v1/carts HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        b"X-A: " + b"a" * 8_000 + b"\r\n",
        {431},
    ),
    "one trailer": (
        b"POST /api/v1/carts HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: ",
        b"a" * 65_536,
        {431, 503, 408},
    ),
    "a body": (
        posting("/api/v1/carts", b"", length=2**40),
        b" " * 65_536,
        {413},
    ),
    "a body in chunks": (
        b"POST /api/v1/carts HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"2000\r\n" + b" " * 0x2000 + b"\r\n",
        {413},
    ),
    "a body that nobody reads": (
        b"GET /config HTTP/1.1\r\nHost: x\r\nContent-Length: 1099511627776\r\n\r\n",
        b" " * 65_536,
        {200},
    ),
    "line breaks": (b"", b"\r\n" * 4_096, {400, 408, 431, 503}),
}


@pytest.mark.parametrize(("begin", "more", "answers"), ENDLESS.values(), ids=ENDLESS)
def test_what_does_not_end_is_cut_and_takes_no_memory(
    target: Target, begin: bytes, more: bytes, answers: set[int]
) -> None:
    before = target.memory()
    connection = target.connect(begin)
    sent = 0
    try:
        while sent < 2**33:
            connection.sendall(more)
            sent += len(more)
    except OSError:
        pass
    assert sent < 2**33
    # What was sent after the end resets the connection, and may take the answer with it.
    assert status(rest(connection)) in {0, *answers}
    assert target.get("/config") == 200
    assert target.memory() - before < 12


def test_the_budget_of_headers_is_exact(target: Target) -> None:
    def asked(line: bytes) -> int:
        return status(target.ask(b"GET /config HTTP/1.1\r\nConnection: close\r\n" + line + b"\r\n"))

    def filling(size: int) -> bytes:
        used = len(b"/config") + len(b"Connection: close\r\n")
        return b"X: " + b"a" * (size - used - len(b"X: \r\n")) + b"\r\n"

    assert asked(filling(MAX_HEAD_BYTES)) == 200
    assert asked(filling(MAX_HEAD_BYTES + 1)) == 431
    assert asked(b"X: a\r\n" * (MAX_HEADERS - 1)) == 200
    assert asked(b"X: a\r\n" * MAX_HEADERS) == 431


def test_slow_bodies_leave_room_for_work(target: Target) -> None:
    """More than there may be requests at once, and yet others are answered, bodies and all."""
    slow = [target.connect(each()) for each in (slow_cart, slow_webhook) * MOST_REQUESTS]
    assert target.get("/config") == 200
    delivery = b"{}"
    request = posting(
        "/stripe/webhooks",
        delivery,
        length=len(delivery),
        header=f"Connection: close\r\nStripe-Signature: {signature()}",
    )
    assert status(target.ask(request)) == 400
    assert all(is_open(connection) for connection in slow)
    assert {status(rest(connection)) for connection in slow} == {408}


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Stripe-Signature: x",
        f"Stripe-Signature: t=1790000000,v1={'0' * 64}",
        "Stripe-Signature: t=now,v1=0",
    ],
)
def test_a_delivery_without_a_signature_of_now_is_refused_before_its_body(
    target: Target, header: str
) -> None:
    with target.connect(posting("/stripe/webhooks", b"", length=2**20, header=header)) as open_one:
        assert status(open_one.recv(65_536)) == 400


def test_past_the_bound_the_slow_and_idle_make_room(target: Target) -> None:
    idle = [target.connect() for _ in range(3 * MOST_CONNECTIONS)]
    for _ in range(10):
        assert target.get("/config") == 200
    # Cut without a word, since there were too many, or in time, since they were slow.
    assert {status(rest(connection)) for connection in idle} <= {0, 408}


def test_idle_connections_that_were_answered_once_make_room_too(target: Target) -> None:
    kept: list[socket.socket] = []
    for _ in range(3 * MOST_CONNECTIONS):
        kept.append(target.connect(b"GET /config HTTP/1.1\r\nHost: x\r\n\r\n"))
        assert status(kept[-1].recv(65_536)) == 200
    assert target.get("/config") == 200
    still = [connection for connection in kept if is_open(connection)]
    assert 0 < len(still) <= MOST_CONNECTIONS
    assert still == kept[-len(still) :]


def test_bodies_that_are_held_have_a_bound_together(target: Target) -> None:
    before = target.memory()
    body = b" " * 260_000
    held = [target.connect(posting("/api/v1/carts", body, length=len(body) + 1)) for _ in range(30)]
    assert target.get("/config") == 200
    answers = [status(rest(connection)) for connection in held]
    assert set(answers) <= {0, 503, 408}
    assert answers.count(408) * len(body) <= MOST_BYTES
    assert target.memory() - before < 20


def test_bodies_that_nobody_wanted_are_not_kept_with_their_connections(target: Target) -> None:
    before = target.memory()
    sent = b"GET /config HTTP/1.1\r\nHost: x\r\nContent-Length: 260001\r\n\r\n" + b" " * 260_000
    for _ in range(50):
        assert status(target.connect(sent).recv(65_536)) == 200
    assert target.memory() - before < 8


def test_a_flood_of_pipelined_requests_is_cut(target: Target) -> None:
    before = target.memory()
    request = b"GET /config HTTP/1.1\r\n\r\n"
    target.ask(request * 20_000)
    assert target.memory() - before < 12
    few = target.ask(request * 10 + b"GET /config HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert few.count(b"HTTP/1.1 200 ") == 11


def test_trailers_are_no_headers(target: Target) -> None:
    for field in ("x-session-id: a", "Authorization: Bearer a", "Origin: http://localhost:3000"):
        answer = target.ask(
            b"POST /payments HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n" + field.encode() + b"\r\n\r\n"
        )
        assert status(answer) == 401
        assert b"access_denied" in answer
        assert b"access-control-allow-origin" not in answer.lower()


def test_an_answer_is_never_mixed_up_with_a_refusal(target: Target) -> None:
    """What comes after a request in order ends the connection, and adds no answer to it."""
    for garbage in (b"\x00\x01\x02", b"GET /\r\n" * 3, b"X" * 100_000):
        answer = target.ask(b"GET /config HTTP/1.1\r\nHost: x\r\n\r\n" + garbage)
        assert answer.count(b"HTTP/1.1 ") <= 1
