"""The proxy for commercetools Connect as a process, and a TLS front of the processor."""

from __future__ import annotations

import datetime
import importlib.util
import ipaddress
import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sandbox.addresses import LOOPBACK
from sandbox.demo.processes import inherited
from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
PROXY_SECRET = "6f1c0d8e2b7a4953c1e0f2a9b8d7c6e5"
ORIGIN = "https://shop.example"

Handler = Callable[[socket.socket], None]
"""Serves one connection, and returns when it is over."""


def write_tree(target: Path) -> None:
    """What `make connect-proxy` writes."""
    spec = importlib.util.spec_from_file_location(
        "connect_proxy", ROOT / "scripts/connect_proxy.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.write(target)


def write_certificate(folder: Path) -> Path:
    """A certificate for this machine with its key, in one file; it is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "front")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(LOOPBACK))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "front.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + secret)
    return file


class Front:
    """A TLS server; `handler` may be exchanged between connections."""

    def __init__(self, certificate: Path, handler: Handler) -> None:
        self.handler = handler
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._listener = socket.create_server((LOOPBACK, 0), backlog=128)
        self._open: set[socket.socket] = set()
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def use(self, handler: Handler) -> None:
        """Serve from now on with another handler, also on connections that are open: cut them."""
        self.handler = handler
        for each in list(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.close()
        self.use(lambda _: None)

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        with suppress(OSError), self._context.wrap_socket(plain, server_side=True) as connection:
            self._open.add(connection)
            try:
                self.handler(connection)
            finally:
                self._open.discard(connection)


def relay(port: int) -> Handler:
    """Passes all bytes to a port of this machine, and its answers back."""

    def handle(connection: socket.socket) -> None:
        with socket.create_connection((LOOPBACK, port)) as inner:
            back = threading.Thread(target=_pump, args=(inner, connection), daemon=True)
            back.start()
            _pump(connection, inner)
            back.join()

    return handle


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


def away(connection: socket.socket) -> None:
    """Ends each connection at once."""
    connection.close()


def read_request(connection: socket.socket) -> bytes:
    """One request with the body that its Content-Length announces; empty at the end."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65_536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    ]
    while len(body) < sum(lengths):
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


class Recorder:
    """Answers every request with the same bytes, and keeps what came."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.requests: list[bytes] = []

    def __call__(self, connection: socket.socket) -> None:
        while request := read_request(connection):
            self.requests.append(request)
            connection.sendall(self.answer)


@contextmanager
def node(
    script: Path, environment: Mapping[str, str], port: int, ready: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A Node service, ready; its output is beside its script. Ended in any case."""
    log = script.parent / f"output-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own script
            ["node", str(script)],  # noqa: S607
            env={**inherited(), **environment, "PORT": str(port)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        while True:
            assert process.poll() is None, log.read_text()
            with suppress(httpx.TransportError):
                if httpx.get(f"http://{LOOPBACK}:{port}{ready}", trust_env=False).is_success:
                    break
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def proxy_environment(front: Front, certificate: Path, **settings: str) -> dict[str, str]:
    """The proxy's configuration, with a front that it trusts."""
    return {
        "PROCESSOR_URL": f"https://{LOOPBACK}:{front.port}",
        "PROXY_SECRET": PROXY_SECRET,
        "ALLOWED_ORIGINS": ORIGIN,
        "NODE_EXTRA_CA_CERTS": str(certificate),
        "PATH": os.environ["PATH"],
        **settings,
    }
