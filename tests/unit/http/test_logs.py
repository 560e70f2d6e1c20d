"""What a log line looks like, and what can never be read in one."""

import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stripe_connector import context
from stripe_connector.logs import configure, mask, masked


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The configured log; the root logger is put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure("info", stream)
    yield stream
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])
def test_severities_are_google_clouds(log: io.StringIO, level: str) -> None:
    logging.getLogger().setLevel(logging.DEBUG)
    logging.getLogger("a").log(logging.getLevelNamesMapping()[level], "x")
    assert lines(log)[0]["severity"] == level


def test_a_line_holds_message_fields_and_correlation_id(log: io.StringIO) -> None:
    token = context.current.set(context.RequestContext("corr-1"))
    logging.getLogger("a").info("paid %s", "now", extra={"fields": {"payment": "p1", "n": 2}})
    context.current.reset(token)
    (line,) = lines(log)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "severity": "INFO",
        "message": "paid now",
        "logger": "a",
        "correlationId": "corr-1",
        "payment": "p1",
        "n": 2,
    }


def test_fields_cannot_replace_what_every_line_has(log: io.StringIO) -> None:
    logging.getLogger("a").info("true", extra={"fields": {"message": "false"}})
    assert lines(log)[0]["message"] == "true"


def test_a_traceback_is_part_of_its_line_and_masked(log: io.StringIO) -> None:
    try:
        int("key sk_live_abc123 of jane@example.com")
    except ValueError:
        logging.getLogger("a").exception("failed")
    (line,) = lines(log)
    assert "'key sk_live_*** of ***@***'" in line["stack_trace"]


def test_uvicorn_and_warnings_go_the_same_way(log: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").info("Started server process")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", UserWarning, stacklevel=1)
    assert [line["logger"] for line in lines(log)] == ["uvicorn.error", "py.warnings"]


@pytest.mark.parametrize(
    ("level", "expected"),
    [("info", 20), ("WARN", 30), ("trace", 10), ("fatal", 50), ("nonsense", 20)],
)
def test_levels_have_the_names_of_other_connectors_too(
    log: io.StringIO, level: str, expected: int
) -> None:
    configure(level, log)
    assert logging.getLogger().level == expected


def test_libraries_do_not_log_every_call(log: io.StringIO) -> None:
    logging.getLogger("httpx").info("HTTP Request: GET https://api.example.com/customers/7")
    assert lines(log) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sk_live_51Abc", "sk_live_***"),
        ("rk_test_51Abc!", "rk_test_***!"),
        ("key=ek_live_YWNjdF8,x", "key=ek_live_***,x"),
        ("whsec_a+b/c=", "whsec_***"),
        ("pi_3Nabc_secret_Xyz", "pi_3Nabc_secret_***"),
        ("cuss_secret_Xyz done", "cuss_secret_*** done"),
        ("Authorization: Bearer abcdefghij0123456789", "Authorization: Bearer ***"),
        ("basic Y2xpZW50OnNlY3JldA==", "basic ***"),
        ("token eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl end", "token *** end"),
        ("mail jane.doe+x@mail.example.com now", "mail ***@*** now"),
        ("card 4242424242424242.", "card ***."),
        ("card 4242 4242 4242 4242", "card ***"),
        ("card 4242-4242-4242-4242", "card ***"),
        ("amex 378282246310005", "amex ***"),
    ],
)
def test_secrets_and_personal_data_are_masked(text: str, expected: str) -> None:
    assert mask(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "pi_3NabcDEF0123456789",
        "payment 6f1a7f2e-0000-4000-8000-123456789012",
        "42424242-4242-4242-4242-424242424242",
        "took 1767225600001 ms",
        "Bearer token missing",
        "risk_test_x",
        "pk_live_51Abc",
        "capturePayment 12.34 EUR",
    ],
)
def test_what_is_needed_to_find_a_payment_stays(text: str) -> None:
    assert mask(text) == text


def test_long_texts_are_cut_after_masking() -> None:
    text = mask("x " * 7_995 + "sk_live_secret " * 50)
    assert len(text) == 16_003
    assert "secret" not in text


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("payment", "p1", "p1"),
        ("count", 3, 3),
        ("ok", True, True),
        ("nothing", None, None),
        ("token", "abc", "***"),
        ("clientSecret", "abc", "***"),
        ("Authorization", ["abc"], "***"),
        (
            "error",
            {"cause": "of jane@example.com", "password": 1},
            {"cause": "of ***@***", "password": "***"},
        ),
        ("list", ("sk_test_1", b"sk_test_2"), ["sk_test_***", "b'sk_test_***'"]),
    ],
)
def test_fields_are_masked_by_content_and_by_name(
    name: str, value: object, expected: object
) -> None:
    assert masked(value, name) == expected


alphanumeric = st.text("abcXYZ0189", min_size=8, max_size=40)


@given(
    before=st.text(max_size=30).filter(lambda text: not text[-1:].isalnum()),
    prefix=st.sampled_from(["sk_live_", "sk_test_", "rk_live_", "ek_test_", "whsec_", "a_secret_"]),
    secret=alphanumeric,
    after=st.text(max_size=30),
)
def test_no_surroundings_let_a_secret_through(
    before: str, prefix: str, secret: str, after: str
) -> None:
    assert f"{prefix}{secret}" not in mask(f"{before}{prefix}{secret}{after}")


@given(st.text())
def test_masking_twice_is_masking_once(text: str) -> None:
    assert mask(mask(text)) == mask(text)
