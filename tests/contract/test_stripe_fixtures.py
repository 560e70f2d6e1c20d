"""Stripe's published fixtures against our Structs, the stand-in and the webhook."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from typing import Any, get_args

import msgspec
import pytest
import stripe
from msgspec import Struct
from stripe._object_classes import get_object_class

from stripe_connector.gateways.stripe.signed_events import Delivery
from tests.contract.stripe_types import OF
from tests.contract.traffic import Traffic
from tests.world import World

Json = dict[str, Any]

LEFT_OUT: dict[str, set[str]] = {
    # What a platform asks of connected accounts; doctor reads the rest.
    "account": {
        "business_profile",
        "capabilities",
        "controller",
        "created",
        "external_accounts",
        "future_requirements",
        "metadata",
        "requirements",
        "settings",
        "tos_acceptance",
    },
    # Types that the stand-in does not know.
    "payment_method_configuration": {
        "acss_debit",
        "affirm",
        "afterpay_clearpay",
        "alipay",
        "amazon_pay",
        "bacs_debit",
        "cartes_bancaires",
        "cashapp",
        "giropay",
        "sofort",
        "wechat_pay",
        "zip",
    },
    # Shown only where it is expanded, since API version 2022-11-15.
    "charge": {"refunds"},
    # Present for methods of type card alone.
    "payment_method": {"card"},
}
"""Fields of a fixture that the stand-in's objects may lack, by kind, with the reason."""

ADDED: dict[str, set[str]] = {
    # Read by Stripe's mobile SDKs; `FIELDS_BEYOND_THE_SDK` of the stand-in's contract.
    "ephemeral_key": {"associated_objects"},
}
"""Fields of the stand-in's objects that neither the fixture nor the SDK has, with the reason."""

DECODED: dict[type[Struct], str] = {
    struct: class_.OBJECT_NAME
    for struct, class_ in OF.items()
    if getattr(class_, "OBJECT_NAME", None) not in (None, "list")
}
"""The Structs of whole objects, by the kind that a fixture is of."""


@pytest.mark.parametrize("struct", DECODED, ids=lambda each: each.__name__)
def test_a_fixture_is_decoded(fixtures: dict[str, Json], struct: type[Struct]) -> None:
    if DECODED[struct] not in fixtures:
        assert DECODED[struct] == "customer_cash_balance_transaction"
    decoded = msgspec.convert(fixtures[DECODED[struct]], struct)
    if struct is not Delivery:
        assert getattr(decoded, "id", None) in (None, fixtures[DECODED[struct]]["id"])


def shown(value: Any) -> Iterator[Json]:
    """Every object with an id that is part of an answer."""
    if isinstance(value, dict):
        if isinstance(value.get("object"), str) and "id" in value and not value.get("deleted"):
            yield value
        for inner in value.values():
            yield from shown(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from shown(inner)


def key_problems(fixtures: dict[str, Json], value: Json) -> list[str]:
    """How the keys of an object of the stand-in differ from the fixture's and the SDK's."""
    kind = value["object"]
    fixture = set(fixtures[kind])
    class_ = get_object_class("V1", kind)
    newer = {name for base in class_.__mro__ for name in getattr(base, "__annotations__", {})}
    lacking = fixture - set(value) - LEFT_OUT.get(kind, set())
    unknown = set(value) - fixture - newer - ADDED.get(kind, set())
    return [f"{kind} lacks {name}" for name in lacking] + [f"{kind} has {name}" for name in unknown]


def objects(fixtures: dict[str, Json], traffic: Traffic) -> list[Json]:
    """All that the stand-in showed of the kinds that there are fixtures of."""
    answers = [a.body for a in traffic.answered_by("stripe.test") if not a.to_browser]
    return [each for each in shown([*answers, *traffic.events]) if each["object"] in fixtures]


def differences(fixtures: dict[str, Json], traffic: Traffic) -> set[str]:
    """All differences of keys that no list explains."""
    return {p for each in objects(fixtures, traffic) for p in key_problems(fixtures, each)}


def test_objects_of_the_stand_in_have_the_keys_of_the_fixtures(
    fixtures: dict[str, Json], traffic: Traffic
) -> None:
    assert len({each["object"] for each in objects(fixtures, traffic)}) > 15
    problems = differences(fixtures, traffic)
    assert not problems, "\n".join(sorted(problems))


def test_every_difference_that_is_allowed_is_one(
    fixtures: dict[str, Json], traffic: Traffic
) -> None:
    """A difference that is gone leaves the list."""
    seen: dict[str, list[Json]] = {}
    for each in objects(fixtures, traffic):
        seen.setdefault(each["object"], []).append(each)
    for kind, names in LEFT_OUT.items():
        assert names <= {n for n in fixtures[kind] if any(n not in each for each in seen[kind])}


def event_types() -> list[str]:
    """Every type of event that the SDK knows."""
    return sorted(get_args(stripe.Event.__annotations__["type"]))


def kind_of(type_: str, fixtures: dict[str, Json]) -> str | None:
    """The kind of object in an event: the longest beginning of its type that is one."""
    special = {"charge.dispute": "dispute", "charge.refund": "refund", "customer.source": "source"}
    parts = type_.split(".")[:-1]
    for end in range(len(parts), 0, -1):
        name = ".".join(parts[:end])
        name = special.get(name, name)
        if name in fixtures:
            return name
    return None


def built(fixtures: dict[str, Json], type_: str, number: int, version: str | None) -> Json:
    """An event of a type, made of the fixtures."""
    kind = kind_of(type_, fixtures) or "customer"
    return {
        **copy.deepcopy(fixtures["event"]),
        "id": f"evt_fixture{number}",
        "type": type_,
        "api_version": version,
        "data": {"object": copy.deepcopy(fixtures[kind])},
    }


async def test_every_type_of_event_is_answered_and_changes_nothing_that_is_not_ours(
    fixtures: dict[str, Json],
) -> None:
    """All 250 types, in the pinned version, an older and none; none of the objects is ours."""
    world = World()
    payment_id = await world.paid()
    await world.deliver_all()
    before = {name: list(world.store.collection(name)) for name in ("payment", "order", "cart")}
    types = event_types()
    assert len(types) > 200
    number = itertools.count()
    for type_ in types:
        for version in (stripe.api_version, "2020-08-27", None):
            event = built(fixtures, type_, next(number), version)
            answer = await world.deliver(event)
            assert answer.status_code == 200, (type_, version, answer.text)
    after = {name: list(world.store.collection(name)) for name in before}
    assert after == before
    assert [state for _, _, state in await world.transactions(payment_id)] == ["Success"] * 2
