"""A shape holds keys, types and words of closed sets, and nothing else of a document."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from rehearse.shapes import differences, shape


def compared(real: Any, stand_in: Any) -> list[tuple[str, str, str, str]]:
    found = differences(shape(real), shape(stand_in))
    return [(each.path, each.what, each.real, each.stand_in) for each in found]


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"id": "pi_3Mxyz12345678", "amount": 1, "paid": True, "customer": None},
        {"data": [{"object": "refund"}], "createdAt": "2026-11-28T10:00:00.000Z"},
        None,
        [],
    ],
)
def test_equal_documents_do_not_differ(document: Any) -> None:
    assert compared(document, document) == []


def test_values_that_are_no_words_may_differ() -> None:
    one = {"id": "pi_3Mxyz12345678", "amount": 1, "email": "a@b.c", "at": "2026-11-28T10:00:00Z"}
    other = {"id": "pi_9999999999999", "amount": 2, "email": "x@y.z", "at": "2025-01-01T01:01:01Z"}
    assert compared(one, other) == []


@pytest.mark.parametrize(
    ("real", "stand_in", "found"),
    [
        ({"a": 1}, {}, ("a", "key", "number", "absent")),
        ({}, {"a": "x"}, ("a", "key", "absent", "text")),
        ({"a": {"b": None}}, {"a": {"b": 1}}, ("a.b", "type", "null", "number")),
        ({"a": "1"}, {"a": 1}, ("a", "type", "text", "number")),
        ({"a": True}, {"a": 1}, ("a", "type", "boolean", "number")),
        ({"status": "paid"}, {"status": "open"}, ("status", "word", "paid", "open")),
        ({"livemode": True}, {"livemode": False}, ("livemode", "word", "true", "false")),
        ({"a": [{"b": 1}]}, {"a": [{}]}, ("a[].b", "key", "number", "absent")),
        ({"a": "ch_1234567890"}, {"a": "py_1234567890"}, ("a", "type", "id ch_", "id py_")),
        ({"a": []}, {"a": {}}, ("a", "type", "list", "object")),
    ],
)
def test_each_kind_of_difference_is_found_at_its_place(
    real: Any, stand_in: Any, found: tuple[str, str, str, str]
) -> None:
    assert compared(real, stand_in) == [found]


def test_an_empty_list_says_nothing_about_elements() -> None:
    assert compared({"data": []}, {"data": [{"id": 1}]}) == []


def test_a_list_is_what_any_of_its_elements_is() -> None:
    real = [{"type": "Charge", "custom": None}, {"type": "Refund", "state": "Success"}]
    stand_in = [{"type": "Charge", "state": "Success"}, {"type": "Refund", "custom": None}]
    assert compared(real, stand_in) == []
    assert compared(real, stand_in[:1]) == [
        ("[].custom", "key", "null", "absent"),
        ("[].type", "word", "Charge or Refund", "Charge"),
    ]


def test_nothing_of_a_person_and_no_secret_is_in_a_shape() -> None:
    document = {
        "email": "ada@example.com",
        "name": "Ada",
        "status": "Ada Byron, Byronstr. 1",  # no word: a sentence
        "code": "12345",
        "type": "pi_3Mxyz12345678",
        "client_secret": "pi_3Mxyz12345678_secret_abcdef",
        "metadata": {"ada@example.com": "x", "cus_1234567890": "y", "order": "Ada-7"},
        "access_token": "tokentokentoken",
    }
    told = msgspec.json.encode(
        [shape(document), *differences(shape(document), shape({}))],
        enc_hook=lambda each: sorted(each),
    ).decode()
    for value in ("ada@", "Ada", "Byron", "12345", "3Mxyz", "secret_abc", "tokentoken", "Mxyz"):
        assert value not in told
