"""The processor's metrics, for Prometheus; `docs/operations/observability.md` explains them.

Every label has few values, all defined here: paths are templates, and unknown values are counted
as "other". No text of a caller becomes a label.
"""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from stripe_connector import __version__
from stripe_connector.clock import Clock
from stripe_connector.gateways.commercetools.errors import BACKEND as COMMERCETOOLS
from stripe_connector.gateways.outgoing import Called
from stripe_connector.gateways.stripe.api_version import API_VERSION
from stripe_connector.http.middleware import Answered
from stripe_connector.http.routing import Refused
from stripe_connector.http.webhook_routes import Delivered
from stripe_connector.observability import labels
from stripe_connector.observability.observer import Observer
from stripe_connector.payments.payment_events import EventEffect
from stripe_connector.storefront.events import HANDLED

PREFIX = "stripe_connector"

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SHED = {
    "Overloaded": "overloaded",
    "TooManyRequests": "rate_limited",
    "DeadlineExceeded": "deadline",
}
"""Reasons for which a valid request was turned away, by the code of the error."""

_FORMS = {
    "access_denied": "missing",
    "MissingSignature": "missing",
    "invalid_request": "malformed",
    "MalformedSignature": "malformed",
    "StaleSignature": "stale",
    "TooManyRequests": "unasked",
}
"""Why credentials were refused, by the code of the error. All others have the right form and are
wrong."""

_CALL_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_REQUEST_BUCKETS = (0.005, *_CALL_BUCKETS, 25.0)
_LAG_BUCKETS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0, 7_200.0, 86_400.0)


class Metrics(Observer):
    """One processor's counters, in a registry of their own."""

    media_type = CONTENT_TYPE_LATEST
    """Of what `render` gives."""

    def __init__(self, clock: Clock, *, in_progress: Callable[[], int] = lambda: 0) -> None:
        """`in_progress` returns how many requests are being answered now."""
        self.registry = registry = CollectorRegistry()
        self._clock = clock
        self._requests = Counter(
            "requests",
            "Requests answered.",
            ["method", "route", "status"],
            namespace=PREFIX,
            registry=registry,
        )
        self._request_seconds = Histogram(
            "request_seconds",
            "Seconds until a request was answered.",
            ["method", "route"],
            namespace=PREFIX,
            registry=registry,
            buckets=_REQUEST_BUCKETS,
        )
        self._shed = Counter(
            "requests_shed",
            "Valid requests that were turned away, or given up.",
            ["reason"],
            namespace=PREFIX,
            registry=registry,
        )
        self._refused = Counter(
            "authentications_refused",
            "Requests that the endpoint's authentication refused.",
            ["kind", "status", "reason"],
            namespace=PREFIX,
            registry=registry,
        )
        self._calls = Counter(
            "backend_calls",
            "Tries of calls to a backend; the status is none where no answer arrived in time.",
            ["backend", "method", "operation", "status"],
            namespace=PREFIX,
            registry=registry,
        )
        self._call_seconds = Histogram(
            "backend_call_seconds",
            "Seconds that one try took.",
            ["backend", "method", "operation"],
            namespace=PREFIX,
            registry=registry,
            buckets=_CALL_BUCKETS,
        )
        self._retries = Counter(
            "backend_retries",
            "Tries after the first.",
            ["backend", "method", "operation"],
            namespace=PREFIX,
            registry=registry,
        )
        self._conflicts = Counter(
            "version_conflicts",
            "Writes that commercetools refused because another request had written first.",
            ["operation"],
            namespace=PREFIX,
            registry=registry,
        )
        self._webhooks = Counter(
            "webhooks",
            "Stripe events that were handled; Stripe sends failed ones again.",
            ["type", "outcome"],
            namespace=PREFIX,
            registry=registry,
        )
        self._lag = Histogram(
            "webhook_lag_seconds",
            "Seconds from an event's creation at Stripe until it was stored in commercetools.",
            namespace=PREFIX,
            registry=registry,
            buckets=_LAG_BUCKETS,
        )
        self._orders_failed = Counter(
            "orders_failed",
            "Paid carts for which no order could be placed.",
            namespace=PREFIX,
            registry=registry,
        )
        self._jobs_refused = Counter(
            "recurring_payment_jobs_refused",
            "Payments whose recurring payments Checkout refused.",
            namespace=PREFIX,
            registry=registry,
        )
        self._mismatches = Counter(
            "amount_mismatches",
            "Payments whose amount at Stripe differs from the planned one.",
            namespace=PREFIX,
            registry=registry,
        )
        self._unknown_outcomes = Counter(
            "unknown_outcomes",
            "Operations whose outcome is unknown: Stripe stored a failure and may still carry"
            " them out.",
            ["type", "authorization_ends_soon"],
            namespace=PREFIX,
            registry=registry,
        )
        Gauge(
            "requests_in_progress",
            "Requests being answered now, without probes.",
            namespace=PREFIX,
            registry=registry,
        ).set_function(in_progress)
        Gauge(
            "build_info",
            "Always 1; its labels name the running version.",
            ["version", "stripe_api_version"],
            namespace=PREFIX,
            registry=registry,
        ).labels(__version__, API_VERSION).set(1)
        ProcessCollector(registry=registry)
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        """Begin watched series at 0: Prometheus sees no increase in one that begins with 1."""
        for reason in _SHED.values():
            self._shed.labels(reason)
        for reason in ("stale", "wrong"):
            self._refused.labels("stripe", 400, reason)
        for kind in (*sorted(HANDLED), "other"):
            for outcome in ("failed", "orphan"):
                self._webhooks.labels(kind, outcome)
        for type_ in ("Charge", "CancelAuthorization"):
            self._unknown_outcomes.labels(type_, "yes")
        for type_ in ("Charge", "CancelAuthorization", "Refund"):
            self._unknown_outcomes.labels(type_, "no")

    def render(self) -> bytes:
        """Everything counted so far, in Prometheus' text format."""
        return generate_latest(self.registry)

    def answered(self, request: Answered) -> None:
        method = request.method if request.method in _METHODS else "other"
        self._requests.labels(method, request.route, request.status).inc()
        self._request_seconds.labels(method, request.route).observe(request.seconds)
        if request.error in _SHED:
            self._shed.labels(_SHED[request.error]).inc()

    def refused(self, refusal: Refused) -> None:
        reason = _FORMS.get(refusal.code, "wrong")
        self._refused.labels(refusal.kind, refusal.status, reason).inc()

    def called(self, call: Called) -> None:
        called = (labels.backend(call), call.method, labels.operation_label(call))
        self._calls.labels(*called, "none" if call.status is None else call.status).inc()
        self._call_seconds.labels(*called).observe(call.seconds)
        if call.tries > 1:
            self._retries.labels(*called).inc()
        # Stripe's 409 means that an equal call is running, which is no version conflict.
        if call.status == 409 and call.backend == COMMERCETOOLS:
            self._conflicts.labels(called[2]).inc()

    def delivered(self, delivery: Delivered) -> None:
        kind = delivery.type if delivery.type in HANDLED else "other"
        outcome = "failed" if delivery.effect is None else delivery.effect.name.lower()
        self._webhooks.labels(kind, outcome).inc()
        if delivery.effect is EventEffect.STORED:
            self._lag.observe(max(0.0, self._clock.time() - delivery.created))

    def mismatched(self) -> None:
        self._mismatches.inc()

    def order_failed(self) -> None:
        self._orders_failed.inc()

    def job_refused(self) -> None:
        self._jobs_refused.inc()

    def waiting(self, type_: str, lapses: bool) -> None:
        self._unknown_outcomes.labels(type_, "yes" if lapses else "no").inc()
