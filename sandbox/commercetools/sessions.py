"""Checkout: sessions that let a browser act on one cart, and recurring payment jobs."""

from __future__ import annotations

from datetime import timedelta

from sandbox.commercetools import fields
from sandbox.commercetools.errors import not_found
from sandbox.commercetools.fields import present
from sandbox.commercetools.paths import Document
from sandbox.commercetools.resource import Resource
from sandbox.commercetools.state import Store
from sandbox.commercetools.times import timestamp


def create_session(store: Store, draft: Document) -> Document:
    """A session for the cart of `cart.cartRef`; metadata is passed through as it is."""
    reference = fields.need_obj(fields.need_obj(draft, "cart"), "cartRef")
    cart = store.resolve("cart", reference)
    expiry = store.clock.now() + timedelta(seconds=store.session_lifetime)
    session = store.insert(
        "session",
        {
            "expiryAt": timestamp(expiry),
            "activeCart": {"cartRef": {"id": cart["id"]}},
            **present(metadata=fields.obj(draft, "metadata")),
        },
    )
    return _at_present(store, session)


def get_session(store: Store, session_id: str) -> Document:
    """A session with the state that it has now; 404 where there is none."""
    session = store.collection("session").get(session_id)
    if session is None:
        raise not_found(f"ID '{session_id}'")
    return _at_present(store, session)


def _at_present(store: Store, session: Document) -> Document:
    expired = session["expiryAt"] <= store.now()
    return {**session, "state": "EXPIRED" if expired else "ACTIVE"}


def create_job(store: Store, draft: Document) -> Document:
    """A recurring payment job: charge the payment method again as the origin payment was.

    Its key is unique, its state is Checkout's to say
    (https://docs.commercetools.com/checkout/recurring-payment-jobs-api).
    """
    return store.insert(
        "recurring-payment-job",
        {
            **present(key=fields.text(draft, "key")),
            "originPayment": _reference(store, draft, "originPayment", "payment"),
            "paymentMethod": _reference(store, draft, "paymentMethod", "payment-method"),
            "status": {"state": "Initial"},
        },
    )


def _reference(store: Store, draft: Document, field: str, type_id: str) -> Document:
    found = store.resolve(type_id, fields.need_obj(draft, field))
    return {"typeId": type_id, "id": found["id"]}


JOBS = Resource(
    type_id="recurring-payment-job",
    path="recurring-payment-jobs",
    view=("view_recurring_payment_jobs",),
    manage=("manage_recurring_payment_jobs",),
    fields=frozenset("id version createdAt key originPayment paymentMethod status".split()),
    create=create_job,
)
