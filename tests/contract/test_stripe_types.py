"""What Stripe's published types allow, our Structs take: nulls, and words of tomorrow."""

from __future__ import annotations

import re

import msgspec
import pytest
import stripe
from msgspec import Struct
from stripe.params import PaymentIntentCreateParams

from stripe_connector.ledger.stripe_objects import IN_PAGE, OUTSIDE
from stripe_connector.method_names import KNOWN
from tests.contract.stripe_types import (
    NARROWER,
    NOT_OF_STRIPE,
    OF,
    is_word,
    may_be_null,
    structs,
    takes,
)

PRIVATE = {"_List", "_Thin", "ListedIntent"}


def test_every_struct_of_stripes_is_compared() -> None:
    left = {s.__name__ for s in structs()} - {s.__name__ for s in OF} - NOT_OF_STRIPE - PRIVATE
    assert not left


@pytest.mark.parametrize("struct", OF, ids=lambda s: s.__name__)
def test_a_struct_takes_what_the_sdks_annotations_allow(struct: type[Struct]) -> None:
    published = OF[struct].__annotations__
    problems = []
    for field in msgspec.structs.fields(struct):
        name = field.encode_name
        if (struct, name) in NARROWER:
            continue
        assert name in published or name == "deleted", f"Stripe has no field {name}"
        annotation = published.get(name)
        if may_be_null(annotation) and field.required:
            problems.append(f"{name} may be absent")
        if may_be_null(annotation) and not takes(field.type, None):
            problems.append(f"{name} may be null")
        word = is_word(annotation) and not _is_flag(annotation)
        if word and not takes(field.type, "a_word_of_tomorrow"):
            problems.append(f"{name} may be a new word")
    assert not problems


def _is_flag(annotation: object) -> bool:
    """`Literal[True]` is no word."""
    return "Literal[True]" in str(annotation)


def test_every_next_action_is_in_the_page_or_outside_of_it() -> None:
    known = set(stripe.PaymentIntent.NextAction.__annotations__) - {"type"}
    assert known == IN_PAGE | OUTSIDE
    assert not IN_PAGE & OUTSIDE


def test_every_type_that_an_intent_can_allow_is_known() -> None:
    types = PaymentIntentCreateParams.__annotations__["allowed_payment_method_types"]
    assert set(re.findall(r"'(\w+)'", str(types))) == KNOWN
