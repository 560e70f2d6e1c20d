"""What commercetools Checkout publishes, against what it asks of us and what stands in for it."""

from __future__ import annotations

import msgspec
import pytest

from sandbox.desk.operations import Action
from stripe_connector.http.operation_routes import (
    PaymentIntentRequest,
    TransactionError,
    TransactionStatus,
)
from tests.behaviour.steps import started
from tests.behaviour.test_recurring_orders import seller
from tests.contract.published import Contract
from tests.world import Json, World, money

AMOUNT = {"centAmount": 100, "currencyCode": "EUR"}
REQUESTS: list[Json] = [
    {"action": "capturePayment", "amount": AMOUNT, "merchantReference": "r"},
    {"action": "refundPayment", "amount": AMOUNT, "transactionId": "t", "merchantReference": "r"},
    {"action": "cancelPayment", "merchantReference": "r"},
    {"action": "reversePayment", "merchantReference": "r"},
]
BEYOND: dict[str, set[str]] = {
    # Which payment was charged: connectors answer it, Checkout's own transaction is another object.
    "TransactionResponse": {"paymentId"},
    # Why an operation was rejected: the connector template has it, the published answer has not.
    "PaymentIntentResponse": {"error"},
}
"""Fields of our answers that Checkout's contract does not have, with the reason."""

JOB = {
    "required": {"id", "version", "originPayment", "paymentMethod", "status", "createdAt"}
    | {"lastModifiedAt"},
    "optional": {"key", "recurringPayments"},
    "status": {"state", "attempts", "errors"},
    "states": {"Initial", "Pending", "Completed", "Failed"},
    "error": {"code", "message"},
    "draft": {"key", "originPayment", "paymentMethod"},
}
"""The fields of RecurringPaymentJob and its draft in the RAML of October 2026, which the contract
that is published as OpenAPI does not have yet (commercetools-api-reference,
api-specs/checkout/types/recurring-payment-jobs)."""


@pytest.mark.parametrize("action", REQUESTS, ids=lambda each: str(each["action"]))
def test_every_request_of_checkout_is_understood(checkout: Contract, action: Json) -> None:
    body = {"actions": [action]}
    assert checkout.problems("PaymentIntent", body) == []
    read = msgspec.convert(body, PaymentIntentRequest, strict=True)
    assert read.command().merchant_reference == "r"


def test_every_operation_of_checkout_is_known(checkout: Contract) -> None:
    assert checkout.words("PaymentIntentOperation") == {each["action"] for each in REQUESTS}
    assert {each.value for each in Action} <= checkout.words("PaymentIntentOperation")


async def test_every_answer_to_checkout_is_as_published(checkout: Contract) -> None:
    world = World({"STRIPE_CAPTURE_METHOD": "manual"})
    shop = await started(world)
    await world.pay(shop.secret)
    await world.deliver_all()
    outcomes = []
    for action in (
        {"action": "capturePayment", "amount": money(600)},
        {"action": "refundPayment", "amount": money(100)},
        {"action": "reversePayment"},
    ):
        answer = await world.modify(shop.payment_id, **action)
        shown = {k: v for k, v in answer.items() if k not in BEYOND["PaymentIntentResponse"]}
        assert checkout.problems("PaymentIntentResponse", shown) == []
        outcomes.append(answer["outcome"])
    assert set(outcomes) <= checkout.words("PaymentIntentOutcome")
    assert outcomes[0] == outcomes[1] == "approved"


@pytest.mark.parametrize("state", ["Completed", "Failed", "Pending"])
def test_every_status_of_a_transaction_is_as_published(checkout: Contract, state: str) -> None:
    error = TransactionError("Your card was declined.")
    status = msgspec.convert({"state": state}, TransactionStatus)
    body = msgspec.to_builtins(msgspec.structs.replace(status, errors=[error]))
    assert checkout.problems("TransactionStatus", body) == []


async def test_jobs_of_the_stand_in_are_as_published() -> None:
    it = await seller()
    jobs = [it.job]
    await it.renewals.run()
    jobs.append(it.job)
    for job in jobs:
        assert JOB["required"] <= set(job) <= JOB["required"] | JOB["optional"]
        assert set(job["status"]) <= JOB["status"]
        assert job["status"]["state"] in JOB["states"]
    sent = [
        call for call in it.world.network.calls if call.path.endswith("/recurring-payment-jobs")
    ]
    assert sent
    for call in sent:
        assert set(msgspec.json.decode(call.body)) == JOB["draft"]
