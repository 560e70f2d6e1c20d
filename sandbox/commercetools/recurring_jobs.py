"""Checkout's recurring payment jobs and recurring payments: which method pays a recurring order.

Fields, states, errors and the filter are those of the published RAML
(commercetools-api-reference, api-specs/checkout/types/recurring-payment-jobs, October 2026); what
a job does is in https://docs.commercetools.com/checkout/recurring-payment-jobs-api.
"""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.commercetools import fields
from sandbox.commercetools.errors import invalid_input
from sandbox.commercetools.fields import present
from sandbox.commercetools.paths import Document
from sandbox.commercetools.resource import Resource, query
from sandbox.commercetools.state import Store

STATES = ("Initial", "Pending", "Completed", "Failed")
_FILTER = "status.state"


def create_job(store: Store, draft: Document) -> Document:
    """A job that waits to be processed. Its key is unique; its state is Checkout's to say."""
    return store.insert(
        "recurring-payment-job",
        {
            **present(key=fields.key(draft)),
            "originPayment": _reference(store, draft, "originPayment", "payment"),
            "paymentMethod": _reference(store, draft, "paymentMethod", "payment-method"),
            "status": {"state": "Initial"},
        },
    )


def _reference(store: Store, draft: Document, field: str, type_id: str) -> Document:
    found = store.resolve(type_id, fields.need_obj(draft, field))
    return {"typeId": type_id, "id": found["id"]}


def query_jobs(store: Store, parameters: Mapping[str, list[str]]) -> Document:
    """A page of jobs, of one state where `status.state=eq:{state}` asks for it."""
    among = store.collection("recurring-payment-job")
    paging = {name: given for name, given in parameters.items() if name != _FILTER}
    if _FILTER not in parameters:
        return query(store, JOBS, {"withTotal": ["false"], **paging})
    operator, _, state = parameters[_FILTER][-1].partition(":")
    if operator != "eq" or state not in STATES:
        raise invalid_input(f"Malformed parameter: {_FILTER}.")
    chosen = [each for each in among if each["status"]["state"] == state]
    return query(store, JOBS, {"withTotal": ["false"], **paging}, chosen)


JOBS = Resource(
    type_id="recurring-payment-job",
    path="recurring-payment-jobs",
    view=("view_recurring_payment_jobs",),
    manage=("manage_recurring_payment_jobs",),
    fields=frozenset("id key createdAt lastModifiedAt".split()),
    create=create_job,
    deletable=True,
)
RECURRING_PAYMENTS = Resource(
    type_id="recurring-payment",
    path="recurring-payments",
    view=("view_recurring_payments",),
    fields=frozenset("id key createdAt lastModifiedAt".split()),
)
