from __future__ import annotations

import hashlib
import hmac

import msgspec
import pytest

from stripe_connector.errors import InvalidRequest
from stripe_connector.gateways.stripe import signed_events as webhooks

NOW = 1_790_000_000.0
SECRET = "whsec_one"
PAYLOAD = '{"id": "evt_1", "name": "Zoë"}'.encode()


def sign(payload: bytes = PAYLOAD, secret: str = SECRET, at: float = NOW) -> str:
    signed = f"{at:.0f}.".encode() + payload
    return f"t={at:.0f},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def check(payload: bytes, header: str, *secrets: str) -> None:
    """Both checks, in the order in which they are made."""
    webhooks.check_header(header, NOW)
    webhooks.verify(payload, header, secrets)


def refused(
    payload: bytes, header: str, *secrets: str, code: str = "InvalidSignature"
) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        check(payload, header, *secrets)
    assert (caught.value.status, caught.value.code) == (400, code)
    return caught.value


def test_a_true_signature_is_accepted() -> None:
    check(PAYLOAD, sign(), SECRET)


@pytest.mark.parametrize("secrets", [("whsec_old", SECRET), (SECRET, "whsec_next")])
def test_any_of_several_secrets_may_have_signed(secrets: tuple[str, ...]) -> None:
    check(PAYLOAD, sign(), *secrets)


def test_any_of_several_signatures_may_match() -> None:
    check(PAYLOAD, f"{sign()},v1={'0' * 64},v0=x", SECRET)


@pytest.mark.parametrize("age", [-300, 0, 300])
def test_a_signature_within_the_tolerance_is_accepted(age: int) -> None:
    check(PAYLOAD, sign(at=NOW - age), SECRET)


@pytest.mark.parametrize("age", [-301, 301, -86_400, 86_400])
def test_a_signature_too_old_or_too_new_is_refused(age: int) -> None:
    refused(PAYLOAD, sign(at=NOW - age), SECRET, code="StaleSignature")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "MalformedSignature"),
        ("nonsense", "MalformedSignature"),
        ("t=,v1=", "MalformedSignature"),
        ("t=abc,v1=00", "MalformedSignature"),
        (f"t={NOW:.0f}", "MalformedSignature"),
        (f"t={NOW:.0f},v1={'0' * 64}", "InvalidSignature"),
        (f"t={NOW:.0f},v1=é", "MalformedSignature"),
        (f"t={'9' * 5000},v1=00", "MalformedSignature"),
        (sign().replace("v1=", "v0="), "MalformedSignature"),
        (sign().replace("t=17", "t=18"), "StaleSignature"),
        (f"t={NOW + 1:.0f},{sign()}", "MalformedSignature"),
    ],
)
def test_anything_else_is_refused(header: str, code: str) -> None:
    refused(PAYLOAD, header, SECRET, code=code)


def test_another_body_is_refused() -> None:
    refused(PAYLOAD + b" ", sign(), SECRET)


def test_a_body_that_is_no_text_is_refused() -> None:
    refused(b"\xff", sign(b"\xff"), SECRET)


def test_another_secret_is_refused() -> None:
    refused(PAYLOAD, sign(secret="whsec_forged"), SECRET)


@pytest.mark.parametrize("secrets", [(), ("",), (" ",)])
def test_without_a_secret_nothing_is_valid(secrets: tuple[str, ...]) -> None:
    refused(PAYLOAD, sign(secret=""), *secrets)


def test_the_refusal_shows_neither_secret_nor_body() -> None:
    error = refused(PAYLOAD, sign(secret="whsec_forged"), SECRET)
    shown = f"{error!r} {error.body()} {error.detail}"
    assert SECRET not in shown
    assert "evt_1" not in shown


def delivery(**changes: object) -> bytes:
    event = {
        "id": "evt_1",
        "object": "event",
        "type": "payment_intent.succeeded",
        "created": 1_790_000_000,
        "api_version": "2026-10-28.endive",
        "data": {"object": {"id": "pi_1"}, "previous_attributes": {"status": "processing"}},
    }
    return msgspec.json.encode({**event, **changes})


def test_an_event_is_decoded() -> None:
    event = webhooks.decode_event(delivery())
    assert event is not None
    assert (event.id, event.type, event.created) == ("evt_1", "payment_intent.succeeded", NOW)
    assert event.api_version == "2026-10-28.endive"
    assert event.object == {"id": "pi_1"}
    assert event.previous_attributes == {"status": "processing"}


def test_an_event_may_lack_a_version_and_earlier_values() -> None:
    event = webhooks.decode_event(delivery(api_version=None, data={"object": {}}))
    assert event is not None
    assert (event.api_version, event.previous_attributes) == (None, None)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"id": "\xff"}',
        b"{",
        delivery(data=None),
        delivery(created="now"),
        delivery(id=1),
        b'{"data": ' * 5_000,
        b"[" * 100_000,
    ],
)
def test_what_is_no_event_is_refused(payload: bytes) -> None:
    with pytest.raises(InvalidRequest):
        webhooks.decode_event(payload)
