"""Checkout: sessions that let a browser act on one cart."""

from __future__ import annotations

from datetime import timedelta

from sandbox.commercetools import fields
from sandbox.commercetools.errors import not_found
from sandbox.commercetools.fields import present
from sandbox.commercetools.paths import Document
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
