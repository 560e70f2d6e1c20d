"""A field that is wrong in a stand-in is noticed by at least one of the judges."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from msgspec import Struct

from sandbox.commercetools.state import Store
from sandbox.stripe import charges, disputes, intents, refunds
from tests.contract import scenarios
from tests.contract.published import Contract
from tests.contract.test_commercetools_contract import (
    test_every_answer_of_the_stand_in_is_as_published as as_published,
)
from tests.contract.test_stripe_fixtures import differences
from tests.contract.test_stripe_stand_in import (
    test_every_answer_is_of_the_form_that_the_sdk_reads as read_by_sdk,
)
from tests.contract.traffic import Traffic

Json = dict[str, Any]
Change = Callable[[Json], None]


class Wrong(Struct, frozen=True):
    """A function of a stand-in that makes objects, and what is done to each."""

    of: Any
    name: str
    change: Change
    kind: str = ""
    """Of commercetools: the type that is changed."""


def lack(name: str) -> Change:
    return lambda value: value.pop(name, None)


def have(**fields: object) -> Change:
    return lambda value: value.update(fields)


WRONG = {
    "a refund lacks its receipt number": Wrong(refunds, "_draft", lack("receipt_number")),
    "a charge says in words whether it was refunded": Wrong(charges, "create", have(refunded="no")),
    "an intent has a field of its own": Wrong(intents, "draft", have(amount_refundable=0)),
    "a dispute says when it was closed": Wrong(disputes, "create", have(closed_at=0)),
    "a cart's stock is kept in a way that is none": Wrong(
        Store, "insert", have(inventoryMode="Sometimes"), "cart"
    ),
    "a payment does not say when it was made": Wrong(
        Store, "insert", lack("lastModifiedAt"), "payment"
    ),
}


@pytest.fixture
def broken(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in with one of them."""
    wrong: Wrong = request.param
    real = getattr(wrong.of, wrong.name)

    def changed(*args: Any, **kwargs: Any) -> Json:
        made: Json = real(*args, **kwargs)
        if not wrong.kind or args[1] == wrong.kind:
            wrong.change(made)
        return made

    monkeypatch.setattr(wrong.of, wrong.name, changed)


def recorded() -> Traffic:
    async def record() -> Traffic:
        traffic = Traffic()
        for walk in (scenarios.guest, scenarios.disputed, scenarios.refund_fails):
            await traffic.record(walk)
        return traffic

    return asyncio.run(record())


def complaints(traffic: Traffic, contract: Contract, fixtures: dict[str, Json]) -> list[str]:
    """What the judges have to say."""
    found = sorted(differences(fixtures, traffic))
    judges = partial(read_by_sdk, traffic), partial(as_published, traffic, contract)
    for judge in judges:
        try:
            judge()
        except AssertionError as error:
            found.append(str(error))
    return found


@pytest.mark.parametrize("broken", WRONG.values(), ids=WRONG, indirect=True)
def test_a_wrong_field_is_noticed(
    broken: None, contract: Contract, fixtures: dict[str, Json]
) -> None:
    assert complaints(recorded(), contract, fixtures)


def test_of_the_stand_in_as_it_is_nothing_is_said(
    contract: Contract, fixtures: dict[str, Json]
) -> None:
    assert complaints(recorded(), contract, fixtures) == []
