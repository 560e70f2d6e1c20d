"""The report: what differs, what failed and what stays. It holds words and keys, but no values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from msgspec import Struct

from rehearse.compare import Finding
from stripe_connector.gateways.stripe.api_version import API_VERSION


class Outcome(Struct, frozen=True):
    """What came of a rehearsal."""

    exchanges: int
    """Calls that were compared."""
    findings: Sequence[Finding]
    failed: Sequence[str]
    """Steps of the real side that did not come to their end, with the reason."""
    remarks: Sequence[str]
    stays: Sequence[str]
    """What the real side keeps."""

    @property
    def agrees(self) -> bool:
        return not self.findings and not self.failed


NOT_WALKED = (
    "The Merchant Center's status: its tokens are signed by commercetools alone.",
    "Deliveries: events are fetched from Stripe's list, signed here and handed over.",
    "Stripe.js and payment pages: they need a browser.",
)


def markdown(outcome: Outcome) -> str:
    return "\n".join(_lines(outcome)) + "\n"


def _lines(outcome: Outcome) -> Iterator[str]:
    yield "# Rehearsal"
    yield ""
    yield (
        f"{outcome.exchanges} calls of the walk, in a real test account and project and with the"
        f" stand-ins, Stripe's API version {API_VERSION}. {_verdict(outcome)}"
    )
    yield from _part("Steps that failed", outcome.failed)
    if outcome.findings:
        yield from ("", "## Differences")
    for (backend, call), found in groupby(outcome.findings, lambda each: (each.backend, each.call)):
        yield from ("", f"### {backend}: `{call}`", "")
        yield from ("| Where | What | Real | Stand-in | Steps |", "| --- | --- | --- | --- | --- |")
        for each in found:
            what = each.difference
            where = f"`{what.path}`" if what.path else "the answer"
            steps = "; ".join(each.steps)
            yield f"| {where} | {what.what} | {what.real} | {what.stand_in} | {steps} |"
    yield from _part("Remarks", outcome.remarks)
    yield from _part("What stays", outcome.stays)
    yield from _part("Not compared", NOT_WALKED)


def _verdict(outcome: Outcome) -> str:
    if outcome.agrees:
        return "Every answer has the same shape, every refusal the same status and code."
    return f"{len(outcome.findings)} differences; {len(outcome.failed)} steps failed."


def _part(title: str, items: Sequence[str]) -> Iterator[str]:
    if items:
        yield from ("", f"## {title}", "")
        yield from (f"- {each}" for each in items)
