"""commercetools' locales on Stripe's pages."""

from __future__ import annotations

import pytest

from stripe_connector.storefront.locales import stripe_locale


@pytest.mark.parametrize(
    ("locale", "known"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("de_AT", "de"),
        ("en-GB", "en-GB"),
        ("no", "nb"),
        ("no-NO", "nb"),
        ("nn", "nb"),
        ("nn-NO", "nb"),
        ("nb-NO", "nb"),
        ("zh", "zh"),
        ("zh-CN", "zh"),
        ("zh-Hans-CN", "zh"),
        ("zh-Hant", "zh-TW"),
        ("zh-Hant-TW", "zh-TW"),
        ("zh-TW", "zh-TW"),
        ("zh-HK", "zh-HK"),
        ("zh-Hant-HK", "zh-HK"),
        ("zh-MO", "zh-HK"),
        ("xx", "auto"),
        ("", "auto"),
        (None, "auto"),
    ],
)
def test_a_locale_is_stripes_own_or_the_nearest(locale: str | None, known: str) -> None:
    assert stripe_locale(locale) == known
