"""The production client against a real socket: what it promises to `Outgoing`."""

from __future__ import annotations

import asyncio
import datetime
import gzip
import ssl
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from stripe_connector.gateways.outgoing import (
    ONCE,
    HttpClient,
    Outgoing,
    Response,
    create_http_client,
)
from stripe_connector.gateways.transport import NoAnswer
from tests.fakes import FakeClock

LONG = b"HTTP/1.1 200 OK\r\nX: %b\r\n\r\n" % (b"x" * 9_000)
OK = b"HTTP/1.1 200 OK\r\nSet-Cookie: who=me\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Answers every request with the same bytes and remembers what it was asked."""

    def __init__(self) -> None:
        self.answer = OK
        self.url = ""
        self.heads: list[str] = []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
                writer.write(self.answer)
                if self.answer != OK:
                    break
        except asyncio.IncompleteReadError:
            pass
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    listener = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    server.url = f"http://127.0.0.1:{port}"
    yield server
    listener.close()
    await listener.wait_closed()


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    async with aclosing(create_http_client()) as client:
        yield client


async def get(client: HttpClient, url: str) -> Response:
    return await client.request("GET", url, headers={}, content=None)


async def test_escaped_paths_and_queries_arrive_as_they_were_sent(
    server: Server, client: HttpClient
) -> None:
    where = 'interfaceId="pi_1" and key="a+b&c"'
    await Outgoing(client, FakeClock()).send(
        "GET",
        f"{server.url}/sessions/a%2Fb",
        backend="Backend",
        retry=ONCE,
        params={"where": where, "expand": "a[*]"},
    )
    path = server.heads[0].split(" ")[1]
    assert path.startswith("/sessions/a%2Fb?")
    assert dict(httpx.URL(path).params) == {"where": where, "expand": "a[*]"}


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/a b?c=d e", "/a%20b?c=d+e"),
        ("/\u00fc", "/%C3%BC"),
        ("/a\r\nX: y", "/aX:%20y"),
        ("/a%2Fb?c=%2B+&d=%25", "/a%2Fb?c=%2B+&d=%25"),
    ],
    ids=["spaces", "letters", "line ends", "escaped"],
)
async def test_no_address_can_write_more_than_its_own_line(
    path: str, sent: str, server: Server, client: HttpClient
) -> None:
    await get(client, f"{server.url}{path}")
    assert server.heads[0].startswith(f"GET {sent} HTTP/1.1\r\nHost: ")


async def test_no_header_can_write_another(client: HttpClient, server: Server) -> None:
    with pytest.raises(ValueError, match="control character"):
        await client.request("GET", server.url, headers={"X": "a\r\nY: b"}, content=None)
    assert server.heads == []


async def test_cookies_are_not_kept(server: Server, client: HttpClient) -> None:
    await get(client, server.url)
    await get(client, server.url)
    assert "cookie" not in server.heads[1].lower()


async def test_redirects_are_not_followed(server: Server, client: HttpClient) -> None:
    server.answer = b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"
    assert (await get(client, server.url)).status_code == 302


@pytest.mark.parametrize(
    "answer",
    [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut", LONG],
    ids=["closed", "no HTTP", "cut short", "long header"],
)
async def test_broken_answers_are_errors_without_the_address(
    answer: bytes, server: Server, client: HttpClient
) -> None:
    server.answer = answer
    with pytest.raises(NoAnswer) as caught:
        await get(client, f"{server.url}/sessions/secret")
    assert "secret" not in str(caught.value)


async def test_a_closed_port_is_a_transport_error(client: HttpClient) -> None:
    with pytest.raises(NoAnswer):
        await get(client, "http://127.0.0.1:1")


async def test_compressed_answers_are_read(server: Server, client: HttpClient) -> None:
    body = gzip.compress(b"fine")
    server.answer = (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nX-Odd: 1\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    answer = await get(client, server.url)
    assert answer.is_success
    assert answer.content == b"fine"
    assert answer.headers.get("x-odd") == "1"


async def test_a_body_and_its_headers_arrive(server: Server, client: HttpClient) -> None:
    headers = {"Content-Type": "application/json", "Authorization": "Bearer token"}
    await client.request("POST", server.url, headers=headers, content=b"{}")
    head = server.heads[0].lower()
    assert head.startswith("post / http/1.1\r\n")
    assert "content-length: 2\r\n" in head
    assert "content-type: application/json\r\n" in head
    assert "authorization: bearer token\r\n" in head


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for localhost by an authority of its own, in one file with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    issued = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "localhost.pem"
    path.write_bytes(
        issued.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


async def get_over_tls(certificate: Path) -> Response:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    async with await asyncio.start_server(Server().handle, "127.0.0.1", 0, ssl=tls) as listener:
        port = listener.sockets[0].getsockname()[1]
        async with aclosing(create_http_client()) as client:
            return await get(client, f"https://localhost:{port}")


async def test_an_unknown_authority_is_refused(certificate: Path) -> None:
    with pytest.raises(NoAnswer, match="certificate verify failed"):
        await get_over_tls(certificate)


async def test_the_environment_may_name_other_authorities(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert (await get_over_tls(certificate)).content == b"ok"


def test_authorities_that_cannot_be_read_stop_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere.pem")
    with pytest.raises(FileNotFoundError):
        create_http_client()
