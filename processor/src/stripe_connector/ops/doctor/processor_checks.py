"""Checks of the running processor from outside: reachability, authentication, clock, webhooks."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from stripe_connector import context
from stripe_connector.errors import BackendUnavailable
from stripe_connector.gateways.outgoing import ONCE, REPEATABLE, Outgoing, Response
from stripe_connector.gateways.stripe.api_version import API_VERSION
from stripe_connector.gateways.stripe.signed_events import TOLERANCE, sign
from stripe_connector.http.webhook_routes import PATH
from stripe_connector.ops.doctor.checks import (
    Check,
    Finding,
    Peer,
    broken,
    doubtful,
    skipped,
    sound,
)
from stripe_connector.ops.doctor.stripe_checks import stripe_peer
from stripe_connector.settings import Settings

GROUP = "Processor"
PROBE = "stripe_connector.doctor"
"""Type of the test event that doctor sends to the processor; it has no handler."""

_NOTICEABLE_S = 30.0
_INSTANCES_ASKED = 6
"""Probes at once, each on a connection of its own."""
_COLD_START_S = 60.0
"""Longer than for other hosts: a sandbox deployment on Connect starts with its first request."""


class ProcessorChecks:
    """All checks that call the processor at CONNECT_SERVICE_URL."""

    def __init__(self, settings: Settings, outgoing: Outgoing) -> None:
        self._settings = settings
        self._outgoing = outgoing
        self._base = settings.connect_service_url or ""

    def all(self) -> list[Check]:
        peer = Peer(
            f"The processor ({self._base})",
            "Make sure that it runs and that CONNECT_SERVICE_URL is its public URL; its log says"
            " why it"
            " does not start.",
        )
        stripe_ = stripe_peer(self._settings)
        return [
            Check(GROUP, "Reachable", self.reachable, peer),
            Check(GROUP, "Guarded", self.guarded, peer, ("Reachable",)),
            Check(GROUP, "Origins", self.origins, peer, ("Reachable",)),
            Check(GROUP, "Clock here", self.clock_here, stripe_, ("API key",)),
            Check(GROUP, "Clock there", self.clock_there, peer, ("Reachable", "Clock here")),
            Check(GROUP, "Signing secret", self.signing_secret, peer, ("Clock there",)),
        ]

    async def reachable(self) -> Finding:
        if not self._base:
            return skipped("CONNECT_SERVICE_URL is not set; on Connect the platform sets it.")
        try:
            answer = await self._send("GET", "/health/ready")
        except BackendUnavailable as error:
            if "certificate" in (error.detail or "").lower():
                return broken(
                    f"The certificate of {self._base} is not valid ({error.detail}).",
                    "Renew it, or correct CONNECT_SERVICE_URL: Stripe does not deliver to it.",
                )
            raise
        if answer.status_code != HTTPStatus.OK or _field(answer, "status") != "UP":
            return broken(
                f"{self._base}/health/ready answers {answer.status_code}: it is not a processor, or"
                " not ready.",
                "Set CONNECT_SERVICE_URL to the processor's public URL; if it is already, see the"
                " processor's log.",
            )
        if answer.headers.get("x-correlation-id") != context.correlation_id():
            return doubtful(
                f"{self._base} does not return X-Correlation-ID.",
                "Let the proxy in front pass this header in both directions: logs are searched by"
                " it.",
            )
        return sound(self._base)

    async def guarded(self) -> Finding:
        """The status route must refuse callers without a token of the Merchant Center."""
        answer = await self._send("GET", "/operations/status")
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            return sound("/operations/status requires a token")
        return broken(
            f"/operations/status answers {answer.status_code} to a caller without a token.",
            "Let the proxy in front pass requests unchanged, to this processor alone.",
        )

    async def origins(self) -> Finding:
        refused = [
            origin for origin in self._settings.allowed_origins if not await self._lets_in(origin)
        ]
        if refused:
            return broken(
                f"The running processor refuses pages of {', '.join(refused)}: its ALLOWED_ORIGINS"
                " differ from those set here.",
                "Deploy again with these ALLOWED_ORIGINS, or correct them.",
            )
        return sound(", ".join(self._settings.allowed_origins))

    async def clock_here(self) -> Finding:
        ahead = await self._ahead_of(self._settings.stripe_api_base, "Stripe")
        return _judged(ahead, "This machine's clock")

    async def clock_there(self) -> Finding:
        """The processor refuses webhooks whose signature is too old or in the future."""
        ahead_of_stripe = await self._ahead_of(self._settings.stripe_api_base, "Stripe")
        ahead_of_processor = await self._ahead_of(f"{self._base}/health/live", "The processor")
        if ahead_of_stripe is None or ahead_of_processor is None:
            return _judged(None, "The processor's clock")
        return _judged(ahead_of_stripe - ahead_of_processor, "The processor's clock")

    async def signing_secret(self) -> Finding:
        """The processor must accept an event without effect that is signed with each secret."""
        if not self._settings.stripe_webhook_signing_secret:
            return broken(
                "STRIPE_WEBHOOK_SIGNING_SECRET is not set: every webhook is answered with 503.",
                "Run stripe-connector post-deploy, set the secret that it prints, and deploy"
                " again.",
            )
        remedy = (
            "Set STRIPE_WEBHOOK_SIGNING_SECRET to the endpoint's secret (Stripe's Dashboard,"
            " Developers, Webhooks), here and where the processor runs; deploy again."
        )
        for number, secret in enumerate(self._settings.stripe_webhook_signing_secret, start=1):
            answers = await asyncio.gather(
                *(self._deliver_probe(secret) for _ in range(_INSTANCES_ASKED))
            )
            # One that differs from the others comes last: it decides.
            answers.sort(key=lambda each: each.status_code != HTTPStatus.OK)
            answer = answers[-1]
            accepted = sum(each.status_code == HTTPStatus.OK for each in answers)
            if accepted and accepted < len(answers):
                return broken(
                    f"Of {len(answers)} events that secret {number} of"
                    f" STRIPE_WEBHOOK_SIGNING_SECRET signs, {accepted} are accepted, and one is"
                    f" answered with {answer.status_code}: the instances are configured"
                    " differently.",
                    "Finish the rollout, so that every instance has the same settings, and examine"
                    " again.",
                )
            if answer.status_code == HTTPStatus.BAD_REQUEST:
                return broken(
                    f"The running processor refuses what secret {number} of"
                    " STRIPE_WEBHOOK_SIGNING_SECRET signs: it has another one.",
                    remedy,
                )
            if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
                return broken(
                    "The running processor has no STRIPE_WEBHOOK_SIGNING_SECRET, or is stopping:"
                    " it answers webhooks with 503.",
                    remedy,
                )
            if answer.status_code != HTTPStatus.OK:
                return broken(
                    f"{self._base}{PATH} answers a signed event with {answer.status_code}.",
                    "See the processor's log; a proxy in front must let POST requests pass"
                    " unchanged.",
                )
        return sound("an event signed with it is accepted")

    async def _lets_in(self, origin: str) -> bool:
        answer = await self._send(
            "OPTIONS",
            "/payments",
            headers={"Origin": origin, "Access-Control-Request-Method": "POST"},
        )
        allowed = answer.headers.get("access-control-allow-origin")
        return answer.is_success and allowed == origin

    async def _deliver_probe(self, secret: str) -> Response:
        now = int(self._outgoing.clock.time())
        event = {
            "id": f"evt_doctor_{uuid.uuid4().hex}",
            "object": "event",
            "type": PROBE,
            "api_version": API_VERSION,
            "created": now,
            "livemode": self._settings.live_mode,
            "data": {"object": {}},
        }
        body = json.dumps(event)
        signature = sign(body, secret, now)
        headers = {
            "Content-Type": "application/json",
            "Stripe-Signature": signature,
            "Connection": "close",  # so that a balancer chooses an instance for each
        }
        return await self._send("POST", PATH, headers=headers, content=body)

    async def _ahead_of(self, url: str, name: str) -> float | None:
        """Seconds that our clock is ahead of the one behind a URL; None where it shows none."""
        clock = self._outgoing.clock
        asked_at = clock.time()
        answer = await self._outgoing.send(
            "GET", url, backend=name, retry=REPEATABLE, per_try=_COLD_START_S
        )
        between = (asked_at + clock.time()) / 2
        try:
            return between - parsedate_to_datetime(answer.headers["date"]).timestamp()
        except (KeyError, ValueError):
            return None

    async def _send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: str | None = None,
    ) -> Response:
        return await self._outgoing.send(
            method,
            f"{self._base}{path}",
            backend="The processor",
            retry=ONCE if method == "POST" else REPEATABLE,
            headers={"X-Correlation-ID": context.correlation_id() or "", **(headers or {})},
            content=content,
            per_try=_COLD_START_S,
        )


def _judged(ahead: float | None, whose: str) -> Finding:
    if ahead is None:
        return doubtful(
            f"{whose} cannot be compared with Stripe's: an answer has no Date header.",
            "Let the proxies in between pass the Date header.",
        )
    text = f"{whose} is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} Stripe's"
    remedy = "Synchronise the clock of that machine with NTP."
    if abs(ahead) > TOLERANCE:
        return broken(f"{text}: webhooks older than {TOLERANCE:.0f} s are refused.", remedy)
    if abs(ahead) > _NOTICEABLE_S:
        return doubtful(f"{text}.", remedy)
    return sound(f"within {_NOTICEABLE_S:.0f} s of Stripe's")


def _field(answer: Response, name: str) -> object:
    try:
        body = json.loads(answer.content)
    except ValueError:
        return None
    return body.get(name) if isinstance(body, dict) else None
