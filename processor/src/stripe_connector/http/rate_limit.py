"""Limits how often one client may call what needs no credentials."""

from __future__ import annotations

import ipaddress
import math
import re
from collections import OrderedDict

from msgspec import Struct
from starlette.requests import Request

from stripe_connector.clock import Clock
from stripe_connector.errors import TooManyRequests

TOO_MANY = "This client has asked too often."
"""How the description of an endpoint speaks of its limit."""
_CLIENTS_PER_RESOURCE = 5
"""A cart or order may be asked for as often as by so many clients that use up their share, so that
one of them alone keeps no other from it."""
_LONGEST_NAME = 64
CAPACITY = 10_000
"""Clients, and as many carts or orders, that are remembered; the one that has been quiet for
longest makes room."""

PROVEN_CLIENT = "stripe_connector.proven_client"
"""Where a request's scope has the address that our own proxy on Connect has proven."""

_WITH_PORT = re.compile(r"(?:\[(?P<v6>[^\[\]]*)\]|(?P<v4>[0-9.]+))(?::[0-9]{1,5})?")


class _Bucket(Struct):
    tokens: float
    filled_at: float


class Shares:
    """A bucket of tokens per name: a minute's worth at once, then as they come back."""

    def __init__(self, per_minute: int, clock: Clock, capacity: int) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._capacity = capacity
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, name: str) -> None:
        """Raises TooManyRequests where the share is used up."""
        bucket = self._bucket(name)
        if bucket.tokens < 1:
            wait = (1 - bucket.tokens) * 60 / self._per_minute
            raise TooManyRequests(
                "Too many requests. Try again shortly.", retry_after=math.ceil(wait)
            )
        bucket.tokens -= 1

    def give_back(self, name: str) -> None:
        """Undo a `take`."""
        bucket = self._bucket(name)
        bucket.tokens = min(self._per_minute, bucket.tokens + 1)

    def _bucket(self, name: str) -> _Bucket:
        now = self._clock.monotonic()
        bucket = self._buckets.pop(name, None) or _Bucket(self._per_minute, now)
        refilled = (now - bucket.filled_at) * self._per_minute / 60
        bucket.tokens = min(self._per_minute, bucket.tokens + refilled)
        bucket.filled_at = now
        if len(self._buckets) >= self._capacity:
            self._buckets.popitem(last=False)
        self._buckets[name] = bucket
        return bucket


class RateLimit:
    """A share for each client address, and one for each cart or order that the path names.

    Each instance counts for itself. This keeps a single client from being a nuisance, and a
    single cart from being asked for by many; it is no defence against many clients, which is the
    business of whatever stands in front.
    """

    def __init__(
        self, per_minute: int, clock: Clock, *, trusted_proxies: int, capacity: int = CAPACITY
    ) -> None:
        """`per_minute` 0 limits nothing."""
        self._per_minute = per_minute
        self._trusted_proxies = trusted_proxies
        self._clients = Shares(per_minute, clock, capacity)
        self._resources = Shares(per_minute * _CLIENTS_PER_RESOURCE, clock, capacity)

    def admit(self, request: Request) -> None:
        """Count a request; raises TooManyRequests where a share that it needs is used up."""
        if self._per_minute == 0:
            return
        self._clients.take(client_address(request, self._trusted_proxies))
        named = request.path_params.get("id")
        if named is not None:
            self._resources.take(named[:_LONGEST_NAME])


def client_address(request: Request, trusted_proxies: int) -> str:
    """The address of the client in front of our own proxies; of IPv6 the network of one customer.

    Each proxy appends to X-Forwarded-For whom it was called by, so the entry to believe is counted
    from the end: what stands before it is the client's own invention. What is no address counts as
    the peer, so that no client invents another. What our own proxy has proven goes before both.
    """
    peer = request.client.host if request.client else ""
    proven: str | None = request.scope.get(PROVEN_CLIENT)
    if proven is not None:
        peer, trusted_proxies = proven, 0
    forwarded = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    told = [entry.strip() for entry in forwarded if entry.strip()]
    address = None
    if trusted_proxies and told:
        address = _parsed(told[-min(trusted_proxies, len(told))])
    address = address or _parsed(peer)
    match address:
        case None:
            return peer
        case ipaddress.IPv6Address():
            return str(ipaddress.ip_network((int(address), 64), strict=False))
        case ipaddress.IPv4Address():
            return str(address)


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address as proxies write it: alone, with a port, in brackets, IPv4 within IPv6."""
    found = _WITH_PORT.fullmatch(text)
    try:
        address = ipaddress.ip_address(found["v6"] or found["v4"] if found else text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
