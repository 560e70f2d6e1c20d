"""Stripe's webhooks: a signature over the raw body."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct
from starlette.requests import Request

from stripe_connector.clock import Clock
from stripe_connector.errors import BackendUnavailable, InvalidRequest

HEADER = "stripe-signature"


class CheckHeader(Protocol):
    """Checks form and time of a signature; raises InvalidRequest."""

    def __call__(self, header: str, now: float, /) -> object: ...


class Verify(Protocol):
    """Checks a signature; raises InvalidRequest unless one of the secrets made it."""

    def __call__(self, payload: bytes, header: str, secrets: tuple[str, ...], /) -> object: ...


class SignedPayload(Struct, frozen=True):
    """What Stripe has sent, proven to come from Stripe and not parsed yet."""

    body: bytes


class StripeGuard:
    """Lets a delivery pass that was signed with one of the endpoint's secrets."""

    def __init__(
        self, check_header: CheckHeader, verify: Verify, secrets: tuple[str, ...], clock: Clock
    ) -> None:
        self._check_header = check_header
        self._verify = verify
        self._secrets = secrets
        self._clock = clock

    async def authenticate(self, request: Request) -> SignedPayload:
        """The body of the request; raises InvalidRequest, PayloadTooLarge or BackendUnavailable.

        It is read only when the header can be a signature of now: until then the caller may be
        any client, and each body takes time and memory.

        Without a secret the answer is 503, which Stripe repeats: nothing is lost between the
        first deployment and the one that knows the secret.
        """
        if not self._secrets:
            raise BackendUnavailable("No webhook signing secret is configured.")
        header = request.headers.get(HEADER)
        if header is None:
            raise InvalidRequest("The Stripe-Signature header is missing.", code="MissingSignature")
        self._check_header(header, self._clock.time())
        body = await request.body()
        self._verify(body, header, self._secrets)
        return SignedPayload(body)
