"""Somebody who speaks HTTP that no library would: smuggled requests, odd framing, odd bytes."""

from __future__ import annotations

import contextlib
import random
import re
from collections.abc import Iterator

import pytest

from tests.security.sockets import Target, processor, rest, status

H = b"Host: x\r\n"
CART = b"POST /api/v1/carts HTTP/1.1\r\n" + H
CHARGE = b"POST /operations/transactions HTTP/1.1\r\n" + H
CONFIG = b"GET /config HTTP/1.1\r\n" + H
CHUNKED = CART + b"Transfer-Encoding: chunked\r\n"
SMUGGLED = b"GET /config HTTP/1.1\r\nHost: y\r\n\r\n"
LAST = b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

REQUESTS: dict[str, tuple[bytes, int, bool]] = {
    # bytes, the status of the one answer, whether the connection ends with it
    "both framings": (
        CART + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        400,
        True,
    ),
    "both framings, the other way round": (
        CHUNKED + b"Content-Length: 4\r\n\r\n0\r\n\r\n" + SMUGGLED,
        400,
        True,
    ),
    "two lengths": (
        CART + b"Content-Length: 0\r\nContent-Length: 40\r\n\r\n" + SMUGGLED,
        400,
        True,
    ),
    "twice the same length": (
        CART + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        400,
        True,
    ),
    "a list of lengths": (CART + b"Content-Length: 2, 2\r\n\r\n{}", 400, True),
    "length with a sign": (CART + b"Content-Length: +2\r\n\r\n{}", 400, True),
    "negative length": (CART + b"Content-Length: -1\r\n\r\n{}", 400, True),
    "length in hexadecimal": (CART + b"Content-Length: 0x2\r\n\r\n{}", 400, True),
    "huge length": (CART + b"Content-Length: 99999999999999999999999\r\n\r\n{}", 400, True),
    "unknown coding": (
        CART + b"Transfer-Encoding: xchunked\r\nContent-Length: 2\r\n\r\n{}",
        400,
        True,
    ),
    "space before the colon": (
        CART + b"Transfer-Encoding : chunked\r\nContent-Length: 2\r\n\r\n{}",
        400,
        True,
    ),
    "identity": (CART + b"Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}", 400, True),
    "gzip, chunked": (
        CART + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        503,
        False,
    ),
    "chunked, gzip": (
        CART + b"Transfer-Encoding: chunked, gzip\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        400,
        True,
    ),
    "two codings": (
        CHUNKED + b"Transfer-Encoding: identity\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        400,
        True,
    ),
    "folded header": (
        CART + b"Transfer-Encoding:\r\n chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        400,
        True,
    ),
    "bare LF": (b"GET /config HTTP/1.1\nHost: x\n\n", 400, True),
    "bare CR": (b"GET /config HTTP/1.1\rHost: x\r\r", 400, True),
    "bare line feeds in chunks": (CHUNKED + b"\r\n2\n{}\n0\n\n", 400, True),
    "extension of a chunk": (CHUNKED + b"\r\n2;a=b\r\n{}\r\n0\r\n\r\n", 503, False),
    "huge chunk": (CHUNKED + b"\r\nFFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n", 400, True),
    "negative chunk": (CHUNKED + b"\r\n-2\r\n{}\r\n0\r\n\r\n", 400, True),
    "NUL in header": (CONFIG + b"X: a\x00b\r\n\r\n", 400, True),
    "no host": (b"GET /config HTTP/1.1\r\n\r\n", 200, False),
    "two hosts": (b"GET /config HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, False),
    "another host in the target": (
        b"GET http://evil/config HTTP/1.1\r\nHost: x\r\n\r\n",
        200,
        False,
    ),
    "http/1.0": (b"GET /config HTTP/1.0\r\n\r\n", 200, True),
    "http/0.9": (b"GET /config\r\n\r\n", 200, True),
    "http/2.0": (b"GET /config HTTP/2.0\r\n\r\n", 200, True),
    "preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, True),
    "space in path": (b"GET /con fig HTTP/1.1\r\nHost: x\r\n\r\n", 400, True),
    "unknown method": (b"FOO /config HTTP/1.1\r\nHost: x\r\n\r\n", 400, True),
    "PURGE": (b"PURGE /config HTTP/1.1\r\nHost: x\r\n\r\n", 405, False),
    "TRACE": (b"TRACE /config HTTP/1.1\r\nHost: x\r\n\r\n", 405, False),
    "CONNECT": (b"CONNECT evil:443 HTTP/1.1\r\nHost: x\r\n\r\n", 400, True),
    "asterisk": (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 404, False),
    "upgrade h2c": (
        CONFIG
        + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n",
        200,
        False,
    ),
    "websocket": (
        CONFIG
        + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
        + b"Sec-WebSocket-Key: a\r\nSec-WebSocket-Version: 13\r\n\r\n",
        200,
        False,
    ),
    "header name space": (CONFIG + b"X Y: a\r\n\r\n", 400, True),
    "raw utf8 path": (b"GET /api/v1/products/\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n", 400, True),
    "raw ff path": (b"GET /api/v1/products/\xff HTTP/1.1\r\nHost: x\r\n\r\n", 400, True),
    "nul path": (b"GET /api/v1/products/a\x00b HTTP/1.1\r\nHost: x\r\n\r\n", 400, True),
    "token not ASCII": (
        b"GET /operations/status HTTP/1.1\r\n"
        + H
        + b"Authorization: Bearer \xff.\xff.\xff\r\n\r\n",
        401,
        False,
    ),
    "token not ASCII, with a body": (
        CHARGE + b"Content-Length: 2\r\nAuthorization: Bearer \xff\r\n\r\n{}",
        401,
        False,
    ),
    "folded correlation id": (CONFIG + b"X-Correlation-ID: a\r\n b\r\n\r\n", 400, True),
    "a tag as correlation id": (CONFIG + b"X-Correlation-ID: <script>\r\n\r\n", 200, False),
    "idempotency key not ASCII": (
        CHARGE + b"Idempotency-Key: \xff\r\nContent-Length: 2\r\n\r\n{}",
        401,
        False,
    ),
    "languages without end": (
        b"GET /canceled HTTP/1.1\r\n"
        + H
        + b"Accept-Language: "
        + b"en;q=0.1," * 100_000
        + b"\r\n\r\n",
        431,
        True,
    ),
    "weight that is no number": (
        b"GET /canceled HTTP/1.1\r\n"
        + H
        + b"Accept-Language: de;q=nan,fr;q="
        + b"9" * 5_000
        + b"\r\n\r\n",
        200,
        False,
    ),
    "weight in superscript": (
        b"GET /canceled HTTP/1.1\r\nHost: x\r\nAccept-Language: de;q=\xb2\r\n\r\n",
        200,
        False,
    ),
    "cookies without end": (
        b"POST /create-checkout-session HTTP/1.1\r\n"
        + H
        + b"Cookie: "
        + b"a=b; " * 50_000
        + b"\r\n\r\n",
        431,
        True,
    ),
    "forwarded for a scope": (
        b"GET /api/v1/orders/x HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: fe80::1%eth0\r\n\r\n",
        404,
        False,
    ),
    "forwarded for junk": (
        b"GET /api/v1/orders/x HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: \xff\xff,,,\r\n\r\n",
        404,
        False,
    ),
    "10,000 headers": (
        CONFIG + b"".join(b"X-%d: a\r\n" % each for each in range(10_000)) + b"\r\n",
        431,
        True,
    ),
    "path of 1 MB": (
        b"GET /api/v1/products/" + b"a" * 1_000_000 + b" HTTP/1.1\r\n" + H + b"\r\n",
        431,
        True,
    ),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Target]:
    with processor({"REQUEST_RECEIVE_S": "1", "BFF_REQUESTS_PER_MINUTE": "0"}) as started:
        yield started


@pytest.fixture
def target(server: Target) -> Iterator[Target]:
    yield server
    server.hang_up()


def answers(target: Target, data: bytes) -> list[int]:
    """The statuses of all answers to `data`, and to a last request after it if it is taken."""
    connection = target.connect()
    told = b""
    with contextlib.suppress(OSError):
        connection.sendall(data)
    with contextlib.suppress(ConnectionError):
        told = connection.recv(65_536)
        connection.sendall(LAST)
    told += rest(connection)
    assert b"Traceback" not in told
    return [int(each) for each in re.findall(rb"HTTP/1\.1 (\d{3}) ", told)]


@pytest.mark.parametrize(("data", "code", "ends"), REQUESTS.values(), ids=REQUESTS)
def test_a_request_has_one_answer_whatever_its_framing_says(
    target: Target, data: bytes, code: int, ends: bool
) -> None:
    """Without a backend behind: 503 is a request in order. Cut connections may lose the answer."""
    got = answers(target, data)
    if ends:
        assert got in ([code], [] if len(data) > 65_536 else [code])
    else:
        assert got == [code, 404]


def test_the_processor_waits_to_be_told_the_body_it_said_it_would_take(target: Target) -> None:
    connection = target.connect(CART + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    assert connection.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.sendall(b"{}")
    assert status(connection.recv(65_536)) == 503


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_get_no_answer_but_a_refusal(target: Target, seed: int) -> None:
    chance = random.Random(seed)
    noise = chance.randbytes(5_000)
    cut = chance.randrange(len(CONFIG))
    for data in (noise, CONFIG[:cut] + noise, CHUNKED + b"\r\n" + noise):
        assert set(answers(target, data)) <= {400, 408, 431}
    assert target.get("/health/live") == 200
