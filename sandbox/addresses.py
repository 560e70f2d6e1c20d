"""Where the sandbox listens: on loopback, at ports that the environment may change."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable, Mapping

from msgspec import Struct

LOOPBACK = "127.0.0.1"


class Place(Struct, frozen=True):
    """Something that listens, and the environment variable that moves it."""

    name: str
    variable: str
    default: int

    def port(self, environment: Mapping[str, str]) -> int:
        """Its port; raises BadPort where the variable holds something else."""
        given = environment.get(self.variable, "").strip() or str(self.default)
        if not given.isdecimal() or not 0 < int(given) < 2**16:
            raise BadPort(f"{self.variable} must be a port from 1 to 65535, not {given!r}.")
        return int(given)


PROCESSOR = Place("processor", "PORT", 8080)
JWT = Place("JWT server", "SANDBOX_JWT_PORT", 9000)
COMMERCETOOLS = Place("commercetools stand-in", "SANDBOX_COMMERCETOOLS_PORT", 9010)
STRIPE = Place("Stripe stand-in", "SANDBOX_STRIPE_PORT", 9020)
SHOP = Place("shop", "SANDBOX_SHOP_PORT", 3000)


class BadPort(Exception):
    """A port cannot be used; the message names the variable that changes it."""


class Addresses(Struct, frozen=True):
    """The ports of everything that makes up the sandbox."""

    processor: int
    jwt: int
    commercetools: int
    stripe: int
    shop: int

    def ports(self) -> list[tuple[Place, int]]:
        """Each place with its port."""
        return [
            (PROCESSOR, self.processor),
            (JWT, self.jwt),
            (COMMERCETOOLS, self.commercetools),
            (STRIPE, self.stripe),
            (SHOP, self.shop),
        ]


def addresses(environment: Mapping[str, str]) -> Addresses:
    """The ports as the environment wants them; raises BadPort."""
    places = (PROCESSOR, JWT, COMMERCETOOLS, STRIPE, SHOP)
    found = Addresses(*(each.port(environment) for each in places))
    by_port: dict[int, Place] = {}
    for place, port in found.ports():
        other = by_port.setdefault(port, place)
        if other is not place:
            raise BadPort(
                f"{place.name} and {other.name} cannot both use port {port};"
                f" set {place.variable} or {other.variable} to another."
            )
    return found


def url(port: int) -> str:
    """How people and programs of this machine reach a port."""
    return f"http://localhost:{port}"


def listen(place: Place, port: int, host: str = LOOPBACK) -> socket.socket:
    """A listening socket; raises BadPort where another program has the port.

    Its connections inherit TCP_NODELAY, which asyncio does not set for a socket that it is given:
    a kept-alive caller would wait 40 ms for the body of each answer.
    """
    try:
        listener = socket.create_server((host, port), backlog=512)
    except OSError as error:
        problem = "is taken" if error.errno == errno.EADDRINUSE else "cannot be used"
        raise BadPort(
            f"Port {port} for the {place.name} {problem}; set {place.variable} to another."
        ) from error
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def require_free(ports: Iterable[tuple[Place, int]]) -> None:
    """Raises BadPort that names every port that is taken."""
    problems = []
    for place, port in ports:
        try:
            listen(place, port).close()
        except BadPort as error:
            problems.append(str(error))
    if problems:
        raise BadPort("\n".join(problems))
