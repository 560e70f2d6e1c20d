"""What the rehearsal refuses to begin with, and what it takes over of a deployment."""

from __future__ import annotations

import pytest

from rehearse.configuration import SIGNING_SECRET, Walker, configuration
from stripe_connector.settings import ConfigurationError

FILLED = {
    "CTP_PROJECT_KEY": "shop",
    "CTP_CLIENT_ID": "client",
    "CTP_CLIENT_SECRET": "secret-of-client",
    "STRIPE_SECRET_KEY": "sk_test_" + "1234567890abcdef",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_" + "1234567890abcdef",
    "ALLOWED_ORIGINS": "https://shop.example.com",
    "MERCHANT_RETURN_URL": "https://shop.example.com/return",
}


def problems(environ: dict[str, str]) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        configuration(environ)
    return refused.value.problems


def test_every_missing_setting_is_told_at_once() -> None:
    told = problems({"REHEARSE_CLIENT_ID": "alone"})
    for name in FILLED:
        assert any(each.startswith(f"{name} is missing") for each in told), name
    assert any(each.startswith("REHEARSE_CLIENT_ID and REHEARSE_CLIENT_SECRET") for each in told)
    assert len(told) == len(FILLED) + 1


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("STRIPE_SECRET_KEY", "sk_live_"),
        ("STRIPE_SECRET_KEY", "rk_live_"),
        ("STRIPE_SECRET_KEY", "'sk_live_"),
        ("STRIPE_PUBLISHABLE_KEY", "pk_live_"),
    ],
)
def test_a_live_key_is_refused_in_words_and_not_shown(name: str, prefix: str) -> None:
    key = prefix + "4eC39HqLyjWDarjtT1zdp7dc"
    [told] = problems({**FILLED, name: key})
    assert told.startswith(f"{name} is a live key.")
    assert "test keys only" in told
    assert "4eC39" not in told


def test_live_keys_are_refused_beside_what_is_missing() -> None:
    live = {"STRIPE_SECRET_KEY": "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"}
    told = problems(live)
    assert told[0].startswith("STRIPE_SECRET_KEY is a live key.")
    assert len(told) == len(FILLED)


@pytest.mark.parametrize("prefix", ["sk_test_", "rk_test_"])
def test_test_keys_are_taken(prefix: str) -> None:
    settings, walker = configuration(
        {**FILLED, "STRIPE_SECRET_KEY": prefix + "1234567890abcdef", "PROXY_SECRET": "p" * 40}
    )
    assert not settings.live_mode
    assert walker == Walker("client", "secret-of-client")
    assert settings.stripe_webhook_signing_secret == (SIGNING_SECRET,)
    assert settings.stripe_payment_behavior_rules["GB"].capture_method == "manual"
    assert settings.proxy_secret == ()  # the walk comes through no proxy


def test_another_client_may_walk() -> None:
    own = {"REHEARSE_CLIENT_ID": "walker", "REHEARSE_CLIENT_SECRET": "its-secret"}
    _, walker = configuration({**FILLED, **own, "REHEARSE_APPLICATION_KEY": "app"})
    assert walker == Walker("walker", "its-secret", "app")
