"""The environment becomes Settings as a whole, or is refused with everything that is wrong."""

from __future__ import annotations

import dataclasses
import json
import re
import runpy
import string
from pathlib import Path

import pytest
from hypothesis import example as with_example
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from stripe_connector.gateways.stripe import API_VERSION
from stripe_connector.settings import (
    IGNORED,
    BehaviorRule,
    ConfigurationError,
    Market,
    Settings,
    Variable,
    load_settings,
    variables,
)
from stripe_connector.settings.environment import unused_proxies

ROOT = Path(__file__).resolve().parents[2]

REQUIRED = {
    "CTP_PROJECT_KEY": "my-shop",
    "CTP_CLIENT_ID": "client-id-1f3a",
    "CTP_CLIENT_SECRET": "client-secret-9c2e",
    "STRIPE_SECRET_KEY": "sk_test_secret51",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_public51",
    "ALLOWED_ORIGINS": "https://shop.example.com",
    "MERCHANT_RETURN_URL": "https://shop.example.com/thanks?lang=de",
}

LIVE = {
    "STRIPE_SECRET_KEY": "rk_live_" + "9fJ2kLm4NpQ6rStU8vWxY1zA",
    "STRIPE_PUBLISHABLE_KEY": "pk_live_public51",
    "CTP_CLIENT_SECRET": "Rk9wq2LmZt7Xc4VbN8sD1fGhJ5yU3aPe",
    "STOREFRONT_URL": "https://shop.example.com",
}


def load(**environ: str) -> Settings:
    return load_settings({**REQUIRED, **environ})


def problems(**environ: str) -> list[str]:
    """The problems of an otherwise complete environment."""
    with pytest.raises(ConfigurationError) as caught:
        load(**environ)
    return caught.value.problems


# --- Required variables and defaults -----------------------------------------------------------


def test_the_required_variables_are_enough() -> None:
    settings = load()
    assert settings.ctp_project_key == "my-shop"
    assert settings.stripe_secret_key == "sk_test_secret51"
    assert settings.allowed_origins == ("https://shop.example.com",)


def test_an_empty_environment_is_refused_naming_every_required_variable() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings({})
    assert {problem.split()[0] for problem in caught.value.problems} == set(REQUIRED)


@pytest.mark.parametrize("name", REQUIRED)
def test_a_blank_required_variable_is_missing(name: str) -> None:
    (problem,) = problems(**{name: " \n"})
    assert problem.startswith(f"{name} is missing.")


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("ctp_auth_url", "https://auth.europe-west1.gcp.commercetools.com"),
        ("ctp_api_url", "https://api.europe-west1.gcp.commercetools.com"),
        ("ctp_session_url", "https://session.europe-west1.gcp.commercetools.com"),
        ("ctp_checkout_url", "https://checkout.europe-west1.gcp.commercetools.com"),
        ("ctp_jwt_issuer", "https://mc-api.europe-west1.gcp.commercetools.com"),
        ("payment_interface", "checkout-stripe"),
        ("ct_custom_type_stripe_customer_key", "payment-connector-stripe-customer-id"),
        ("stripe_webhook_signing_secret", ()),
        ("stripe_webhook_id", None),
        ("stripe_api_version", None),
        ("stripe_capture_method", "automatic"),
        ("stripe_payment_flow", "deferred"),
        ("stripe_payment_behavior_rules", {}),
        ("stripe_payment_intent_setup_future_usage", UNSET),
        ("stripe_layout", '{"type":"tabs","defaultCollapsed":false}'),
        ("stripe_collect_billing_address", "auto"),
        ("stripe_behavior_payment_element", "{}"),
        ("stripe_apple_pay_well_known", None),
        ("stripe_enable_multi_operations", False),
        ("stripe_mismatch_action", "hold"),
        ("stripe_repeat_window_s", 120),
        ("stripe_interface_interactions", False),
        ("stripe_api_base", "https://api.stripe.com"),
        ("stored_payment_methods_enabled", False),
        ("storefront_url", "http://localhost:3000"),
        ("connect_service_url", None),
        ("buy_now_enabled", False),
        ("health_check_timeout", 5000),
        ("log_level", "info"),
        ("port", 8080),
        ("host", "0.0.0.0"),  # noqa: S104 - the default of a container
        ("request_deadline_s", 25),
        ("shutdown_grace_s", 30),
        ("max_body_bytes", 262_144),
    ],
)
def test_what_is_not_set_has_its_default(attribute: str, value: object) -> None:
    assert getattr(load(), attribute) == value


@pytest.mark.parametrize(
    "name", [v.name for v in variables() if not v.required and not v.may_be_blank]
)
def test_a_blank_optional_variable_is_as_if_not_set(name: str) -> None:
    assert load(**{name: "  "}) == load()


def test_stripe_js_is_of_the_release_of_the_api_version() -> None:
    release = API_VERSION.split(".")[1]
    assert load().stripe_js_url == f"https://js.stripe.com/{release}/stripe.js"


# --- Many problems, no secrets -----------------------------------------------------------------


def test_all_problems_are_reported_at_once() -> None:
    found = problems(
        CTP_PROJECT_KEY="",
        STRIPE_PUBLISHABLE_KEY="sk_test_secret51",
        STRIPE_CAPTURE_METHOD="later",
        PORT="http",
        STRIPE_LAYOUT="tabs",
        ALLOWED_ORIGINS="https://a.example/,*",
        STRIPE_PAYMENT_BEHAVIOR_RULES='{"DE": {"captureMethod": "x"}, "FR": {"unknown": 1}}',
    )
    assert [problem.split()[0] for problem in found] == [
        "CTP_PROJECT_KEY",
        "STRIPE_PUBLISHABLE_KEY",
        "STRIPE_CAPTURE_METHOD",
        "STRIPE_PAYMENT_BEHAVIOR_RULES",
        "STRIPE_PAYMENT_BEHAVIOR_RULES",
        "STRIPE_LAYOUT",
        "ALLOWED_ORIGINS",
        "ALLOWED_ORIGINS",
        "PORT",
    ]


def test_the_error_reads_as_one_problem_per_line() -> None:
    error = ConfigurationError(["A is missing.", "B must be true."])
    assert str(error) == "A is missing.\nB must be true."


SECRETS = {
    "CTP_CLIENT_ID": "hidden-client-id",
    "CTP_CLIENT_SECRET": "hidden-client-secret",
    "STRIPE_SECRET_KEY": "sk_test_hidden",
    "STRIPE_WEBHOOK_SIGNING_SECRET": "whsec_hidden1,whsec_hidden2",
    "BUY_NOW_COOKIE_SECRET": "hidden-hidden-hidden-hidden-hidden",
    "STOREFRONT_SECRET": "hidden-hidden-hidden-hidden-hidden",
    "CHECKOUT_LINK_SECRET": "hidden hidden hidden hidden hidden",
    "METRICS_TOKEN": "hidden-1-hidden-1-hidden-1-hidden-1,hidden-2-hidden-2-hidden-2-hidden-2",
    "PROXY_SECRET": "hidden-3-hidden-3-hidden-3-hidden-3,hidden-4-hidden-4-hidden-4-hidden-4",
}
LINKS = {"CONNECT_SERVICE_URL": "https://connector.example.com"}


def test_no_secret_is_in_the_representation() -> None:
    settings = load(**SECRETS, **LINKS)
    assert settings.stripe_webhook_signing_secret == ("whsec_hidden1", "whsec_hidden2")
    assert "hidden" not in repr(settings)
    assert "hidden" not in str(settings)


def test_every_secret_variable_is_covered_by_the_test_above() -> None:
    assert {variable.name for variable in variables() if variable.secret} == set(SECRETS)


FREE_TEXT = {
    "CTP_CLIENT_ID",
    "CTP_CLIENT_SECRET",
    "PAYMENT_INTERFACE",
    "STORED_PAYMENT_METHODS_INTERFACE_ACCOUNT",
    "HOST",
    "BUY_NOW_PRODUCT",
}
CHECKED = [v.name for v in variables() if v.name not in FREE_TEXT | {"STRIPE_APPLE_PAY_WELL_KNOWN"}]


@pytest.mark.parametrize("name", CHECKED)
def test_no_problem_repeats_a_secret_wherever_it_was_pasted(name: str) -> None:
    pasted = "s3cr3t/p4ste with space"
    text = "\n".join(problems(**{name: pasted}))
    assert "s3cr3t" not in text
    assert "p4ste" not in text


@given(st.text(string.ascii_letters + string.digits + "_-/!", min_size=12))
def test_a_faulty_secret_is_never_printed(secret: str) -> None:
    for name in ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SIGNING_SECRET", "STRIPE_PUBLISHABLE_KEY"):
        assert secret not in "\n".join(problems(**{name: f"!{secret}"}))


def variable_of(name: str) -> Variable:
    return next(variable for variable in variables() if variable.name == name)


@with_example(variable_of("CHECKOUT_LINK_SECRET"), "0" * 32)
@with_example(variable_of("BUY_NOW_ENABLED"), "true")
@given(st.sampled_from(variables()), st.text())
def test_any_text_is_either_accepted_or_a_problem_of_its_variable(
    variable: Variable, text: str
) -> None:
    try:
        load(**{variable.name: text})
    except ConfigurationError as error:
        faulty = {problem.split()[0] for problem in error.problems}
    else:
        faulty = set()
    assert faulty <= {variable.name}


# --- Stripe's keys -----------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["sk_test_a1", "rk_test_a1"])
def test_secret_and_restricted_keys_are_accepted(key: str) -> None:
    assert load(STRIPE_SECRET_KEY=key).stripe_secret_key == key


@pytest.mark.parametrize(
    "key", ["stripeSecretKey", "pk_test_a1", "whsec_a1", "sk_a1", "sk_test_", "sk_test_a b", "xxx"]
)
def test_anything_else_is_no_secret_key(key: str) -> None:
    (problem,) = problems(STRIPE_SECRET_KEY=key)
    assert problem.startswith("STRIPE_SECRET_KEY must be")


@pytest.mark.parametrize("key", ["sk_test_a1", "rk_live_a1", "pk_a1", "pk_test_"])
def test_only_a_publishable_key_may_reach_browsers(key: str) -> None:
    (problem,) = problems(STRIPE_PUBLISHABLE_KEY=key)
    assert problem.startswith("STRIPE_PUBLISHABLE_KEY must be")


def test_keys_of_different_modes_are_refused() -> None:
    (problem,) = problems(STRIPE_PUBLISHABLE_KEY="pk_live_public51")
    assert "is a live key" in problem
    assert "STRIPE_SECRET_KEY is a test key" in problem


def test_the_environment_follows_from_the_secret_key() -> None:
    assert (load().environment, load().live_mode) == ("test", False)
    assert (load(**LIVE).environment, load(**LIVE).live_mode) == ("live", True)


@pytest.mark.parametrize("name", ["STRIPE_API_BASE", "STRIPE_JS_URL"])
def test_live_keys_are_not_used_over_plain_http(name: str) -> None:
    assert getattr(load(**{name: "http://localhost:9020"}), name.lower())
    (problem, _) = problems(**LIVE, **{name: "http://localhost:9020"})
    assert problem.startswith(f"{name} must be an https URL")


def test_several_webhook_secrets_are_separated_by_commas() -> None:
    settings = load(STRIPE_WEBHOOK_SIGNING_SECRET=" whsec_old , whsec_new ")
    assert settings.stripe_webhook_signing_secret == ("whsec_old", "whsec_new")


@pytest.mark.parametrize("value", ["mock", "whsec_", "whsec_a,", "whsec_a whsec_b", "sk_test_a1"])
def test_a_malformed_webhook_secret_is_refused(value: str) -> None:
    (problem,) = problems(STRIPE_WEBHOOK_SIGNING_SECRET=value)
    assert problem.startswith("STRIPE_WEBHOOK_SIGNING_SECRET entry ")


# --- Words, numbers, switches ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("STRIPE_CAPTURE_METHOD", ["automatic", "automatic_async", "manual"]),
        ("STRIPE_PAYMENT_FLOW", ["deferred", "pi_first"]),
        ("STRIPE_COLLECT_BILLING_ADDRESS", ["auto", "never", "if_required"]),
        ("STRIPE_MISMATCH_ACTION", ["hold", "reverse"]),
        ("LOG_LEVEL", ["debug", "info", "warning", "error"]),
    ],
)
def test_a_closed_set_takes_its_words_and_names_them_when_it_refuses(
    name: str, allowed: list[str]
) -> None:
    for word in allowed:
        assert getattr(load(**{name: word}), name.lower()) == word
    (problem,) = problems(**{name: "bogus"})
    assert problem == f"{name} must be one of {', '.join(allowed)}"


@pytest.mark.parametrize(
    "name",
    [
        "STRIPE_ENABLE_MULTI_OPERATIONS",
        "STRIPE_INTERFACE_INTERACTIONS",
        "STORED_PAYMENT_METHODS_ENABLED",
    ],
)
def test_a_switch_is_exactly_true_or_false(name: str) -> None:
    assert getattr(load(**{name: "true"}), name.lower()) is True
    assert getattr(load(**{name: "false"}), name.lower()) is False
    for value in ("True", "1", "yes", "on"):
        assert problems(**{name: value}) == [f"{name} must be exactly true or false"]


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("PORT", 1, 65_535),
        ("HEALTH_CHECK_TIMEOUT", 1, 60_000),
        ("STRIPE_REPEAT_WINDOW_S", 0, 86_400),
        ("REQUEST_DEADLINE_S", 1, 300),
        ("SHUTDOWN_GRACE_S", 0, 300),
        ("SHUTDOWN_DRAIN_S", 0, 300),
        ("KEEP_ALIVE_S", 1, 3_600),
        ("MAX_BODY_BYTES", 1_024, 10_485_760),
        ("BFF_ORDER_PII_MINUTES", 0, 10_080),
        ("BFF_REQUESTS_PER_MINUTE", 0, 100_000),
        ("BFF_TRUSTED_PROXIES", 0, 10),
        ("BUY_NOW_SESSIONS_PER_MINUTE", 0, 100_000),
    ],
)
def test_a_number_lies_within_its_range(name: str, least: int, most: int) -> None:
    for number in (least, most):
        assert getattr(load(**{name: str(number)}), name.lower()) == number
    for number in (least - 1, most + 1):
        (problem,) = problems(**{name: str(number)})
        assert problem.startswith(f"{name} must be a whole number from {least} to {most}")


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("STOREFRONT_CURRENCY", ["EUR", "JPY"], ["eur", "EURO", "€", "E1R"]),
        ("STOREFRONT_COUNTRY", ["DE", "US"], ["de", "DEU", "Germany"]),
        (
            "STOREFRONT_LOCALE",
            ["en", "de-AT", "zh-Hant-TW", "es-419"],
            ["EN", "de_AT", "english", "de-"],
        ),
    ],
)
def test_what_the_storefront_sells_in_is_written_as_standards_write_it(
    name: str, right: list[str], wrong: list[str]
) -> None:
    for value in right:
        assert getattr(load(**{name: value}), name.lower()) == value
    for value in wrong:
        (problem,) = problems(**{name: value})
        assert problem.startswith(f"{name} must be")


def test_a_shop_sells_in_its_own_market_unless_it_lists_more() -> None:
    assert load().markets == (Market("EUR", "DE"),)
    several = load(STOREFRONT_MARKETS="EUR:AT, EUR:DE,USD:US")
    assert several.markets == (Market("EUR", "DE"), Market("EUR", "AT"), Market("USD", "US"))


@pytest.mark.parametrize("value", ["EUR", "eur:DE", "EUR:D", "EUR:DE:x", "EUR/DE", "EUR:DE;USD:US"])
def test_a_market_is_a_currency_and_a_country(value: str) -> None:
    (problem,) = problems(STOREFRONT_MARKETS=value)
    assert problem.startswith("STOREFRONT_MARKETS entry 1 must be")


def test_the_markets_hold_the_storefronts_own() -> None:
    (problem,) = problems(STOREFRONT_MARKETS="USD:US", STOREFRONT_COUNTRY="AT")
    assert problem.startswith("STOREFRONT_MARKETS lacks EUR:AT")


@pytest.mark.parametrize("value", ["80.0", "8_080", "+80", "0x50", "eighty", "٨٠", "9" * 5000])
def test_a_number_is_written_in_plain_digits(value: str) -> None:
    (problem,) = problems(PORT=value)
    assert problem.startswith("PORT must be a whole number")


@pytest.mark.parametrize(
    ("word", "level"),
    [("INFO", "info"), ("warn", "warning"), ("verbose", "debug"), ("silly", "debug")],
)
def test_log_levels_of_node_loggers_are_understood(word: str, level: str) -> None:
    assert load(LOGGER_LEVEL=word).log_level == level


def test_the_log_level_by_its_own_name_wins_over_its_alias() -> None:
    assert load(LOG_LEVEL="error", LOGGER_LEVEL="debug").log_level == "error"


def test_a_problem_names_the_alias_under_which_the_value_was_set() -> None:
    (problem,) = problems(LOGGER_LEVEL="loud")
    assert problem.startswith("LOGGER_LEVEL must be one of")


@pytest.mark.parametrize("value", ["x", "my shop", "shop/../other", "a" * 257])
def test_a_key_that_commercetools_cannot_have_is_refused(value: str) -> None:
    (problem,) = problems(CTP_PROJECT_KEY=value)
    assert problem.startswith("CTP_PROJECT_KEY must be")


# --- URLs and origins --------------------------------------------------------------------------

URLS = ["CTP_API_URL", "MERCHANT_RETURN_URL", "STOREFRONT_URL", "STRIPE_JS_URL", "STRIPE_API_BASE"]


@pytest.mark.parametrize("name", URLS)
@pytest.mark.parametrize(
    "value",
    [
        "shop.example.com",
        "ftp://a.example",
        "https://",
        "https://a b",
        "https://a:x",
        "https://a:0",
    ],
)
def test_a_url_is_absolute_and_http(name: str, value: str) -> None:
    (problem,) = problems(**{name: value})
    assert problem.startswith(f"{name} must be an http or https URL")


def test_a_url_carries_no_credentials() -> None:
    (problem,) = problems(STOREFRONT_URL="https://user:hunter2@a.example")
    assert problem == "STOREFRONT_URL must be a URL without user name and password"


@pytest.mark.parametrize("name", ["CTP_API_URL", "CTP_SESSION_URL", "CONNECT_SERVICE_URL"])
def test_trailing_slashes_of_hosts_are_dropped(name: str) -> None:
    assert getattr(load(**{name: "http://localhost:9010/"}), name.lower()) == (
        "http://localhost:9010"
    )


def test_a_url_to_which_paths_are_appended_has_no_query() -> None:
    (problem,) = problems(STOREFRONT_URL="https://shop.example.com/?a=1")
    assert problem.startswith("STOREFRONT_URL must be a URL without ?")


def test_the_return_url_is_kept_as_it_is() -> None:
    assert load().merchant_return_url == REQUIRED["MERCHANT_RETURN_URL"]


def test_hosts_of_two_regions_are_refused() -> None:
    found = problems(CTP_API_URL="https://api.us-central1.gcp.commercetools.com")
    assert {problem.split()[0] for problem in found} == {
        "CTP_AUTH_URL",
        "CTP_SESSION_URL",
        "CTP_CHECKOUT_URL",
        "CTP_JWKS_URL",
        "CTP_JWT_ISSUER",
    }


def test_hosts_that_are_not_of_the_cloud_have_no_region() -> None:
    assert load(CTP_API_URL="http://localhost:9010").ctp_api_url == "http://localhost:9010"


def test_several_origins_are_separated_by_commas() -> None:
    settings = load(ALLOWED_ORIGINS="https://a.example, http://localhost:3000,http://[::1]:3000")
    assert settings.allowed_origins == (
        "https://a.example",
        "http://localhost:3000",
        "http://[::1]:3000",
    )


@pytest.mark.parametrize(
    ("value", "corrected"),
    [
        ("https://a.example/", "https://a.example"),
        ("https://a.example/shop", "https://a.example"),
        ("https://a.example?x", "https://a.example"),
        ("https://A.Example", "https://a.example"),
        ("HTTPS://a.example", "https://a.example"),
        ("https://a.example:443", "https://a.example"),
        ("http://a.example:80", "http://a.example"),
        ("https://a.example:", "https://a.example"),
        ("https://a.example:08443", "https://a.example:8443"),
    ],
)
def test_an_origin_that_no_browser_would_send_is_refused_with_its_correction(
    value: str, corrected: str
) -> None:
    (problem,) = problems(ALLOWED_ORIGINS=value)
    assert problem.startswith("ALLOWED_ORIGINS entry 1 must be")
    assert problem.endswith(f": write {corrected}")
    assert load(ALLOWED_ORIGINS=corrected).allowed_origins == (corrected,)


@given(
    st.sampled_from(["http", "https"]),
    st.from_regex(r"[a-z][a-z0-9-]{0,20}(\.[a-z]{2,8}){0,3}", fullmatch=True),
    st.one_of(st.none(), st.integers(1, 65_535).filter(lambda port: port not in {80, 443})),
)
def test_what_browsers_send_as_origin_is_accepted(scheme: str, host: str, port: int | None) -> None:
    origin = f"{scheme}://{host}" + (f":{port}" if port else "")
    assert load(ALLOWED_ORIGINS=origin).allowed_origins == (origin,)


@pytest.mark.parametrize(
    "value", ["*", "https://*.a.example", "null", "a.example", "https://münchen.example", ","]
)
def test_what_is_no_origin_at_all_is_refused(value: str) -> None:
    assert all(
        problem.startswith("ALLOWED_ORIGINS entry ") for problem in problems(ALLOWED_ORIGINS=value)
    )


# --- JSON --------------------------------------------------------------------------------------

JSON_OBJECTS = [
    "STRIPE_APPEARANCE_PAYMENT_ELEMENT",
    "STRIPE_APPEARANCE_EXPRESS_CHECKOUT",
    "STRIPE_EXPRESS_ELEMENT_OPTIONS",
    "STRIPE_LAYOUT",
]


@pytest.mark.parametrize("name", JSON_OBJECTS)
def test_opaque_json_is_kept_as_it_was_given(name: str) -> None:
    text = '{ "theme": "stripe", "variables": {"colorPrimary": "#0570DE"} }'
    assert getattr(load(**{name: text}), name.lower()) == text


@pytest.mark.parametrize(
    "name",
    [
        *JSON_OBJECTS,
        "STRIPE_BEHAVIOR_PAYMENT_ELEMENT",
        "STRIPE_SAVED_PAYMENT_METHODS_CONFIG",
        "STRIPE_PAYMENT_BEHAVIOR_RULES",
    ],
)
@pytest.mark.parametrize(
    "value", ["[]", '"tabs"', "1", "null", "{", "{'a': 1}", "tabs", "[" * 9999]
)
def test_what_is_no_json_object_is_refused(name: str, value: str) -> None:
    (problem,) = problems(**{name: value})
    assert problem.startswith(f"{name} ")


def test_saved_payment_method_features_are_those_of_stripe() -> None:
    features = {
        "payment_method_save": "enabled",
        "payment_method_save_usage": "off_session",
        "payment_method_redisplay": "enabled",
        "payment_method_redisplay_limit": 10,
        "payment_method_remove": "disabled",
        "payment_method_allow_redisplay_filters": ["always", "limited", "unspecified"],
    }
    settings = load(STRIPE_SAVED_PAYMENT_METHODS_CONFIG=json.dumps(features))
    assert settings.stripe_saved_payment_methods_config == features


def test_no_feature_is_sent_that_was_not_configured() -> None:
    assert load().stripe_saved_payment_methods_config == {}


@pytest.mark.parametrize(
    "config",
    [
        {"payment_method_save": True},
        {"payment_method_save_usage": "none"},
        {"payment_method_redisplay_limit": 11},
        {"payment_method_allow_redisplay_filters": ["never"]},
        {"paymentMethodSave": "enabled"},
    ],
)
def test_features_that_stripe_does_not_know_are_refused(config: object) -> None:
    (problem,) = problems(STRIPE_SAVED_PAYMENT_METHODS_CONFIG=json.dumps(config))
    assert problem.startswith("STRIPE_SAVED_PAYMENT_METHODS_CONFIG does not fit: ")


@pytest.mark.parametrize(
    "options",
    [
        {"terms": {"card": "never", "usBankAccount": "always", "sepaDebit": "auto"}},
        {"wallets": {"applePay": "never", "googlePay": "auto"}},
        {"defaultValues": {"billingDetails": {"name": "A", "address": {"postal_code": "1"}}}},
        {"fields": {"billingDetails": "never"}},
        {"fields": {"billingDetails": {"phone": "never", "address": "if_required"}}},
        {"fields": {"billingDetails": {"address": {"postalCode": "never", "line2": "auto"}}}},
        {"business": {"name": "Shop"}, "readOnly": True, "paymentMethodOrder": ["card", "klarna"]},
        {"layout": "accordion"},
        {"layout": {"type": "accordion", "radios": False, "visibleAccordionItemsCount": 3}},
    ],
)
def test_payment_element_options_are_kept_as_they_were_given(options: object) -> None:
    text = json.dumps(options, indent=1)
    assert load(STRIPE_BEHAVIOR_PAYMENT_ELEMENT=text).stripe_behavior_payment_element == text


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"paymentMethodTypes": ["card"]}, "paymentMethodTypes"),
        ({"terms": {"card": "maybe"}}, "$.terms.card"),
        ({"terms": {"cash": "auto"}}, "cash"),
        ({"wallets": {"applePay": "always"}}, "$.wallets.applePay"),
        (
            {"defaultValues": {"billingDetails": {"address": {"postalCode": "1"}}}},
            "$.defaultValues.billingDetails.address",
        ),
        ({"fields": {"billingDetails": {"name": "if_required"}}}, "$.fields.billingDetails.name"),
        ({"business": {}}, "$.business"),
        ({"paymentMethodOrder": "card"}, "$.paymentMethodOrder"),
        ({"readOnly": "true"}, "$.readOnly"),
        ({"layout": {"defaultCollapsed": True}}, "$.layout"),
    ],
)
def test_payment_element_options_that_stripe_does_not_know_are_refused_with_their_path(
    options: object, path: str
) -> None:
    (problem,) = problems(STRIPE_BEHAVIOR_PAYMENT_ELEMENT=json.dumps(options))
    assert path in problem


# --- Behaviour rules ---------------------------------------------------------------------------


def rules(value: object) -> dict[str, BehaviorRule]:
    return load(STRIPE_PAYMENT_BEHAVIOR_RULES=json.dumps(value)).stripe_payment_behavior_rules


def test_a_rule_says_only_what_it_names() -> None:
    assert rules({"DE": {"captureMethod": "manual"}, "outlet": {}}) == {
        "DE": BehaviorRule(capture_method="manual"),
        "outlet": BehaviorRule(),
    }


def test_a_rule_may_name_everything() -> None:
    rule = {
        "flowType": "pi_first",
        "captureMethod": "automatic_async",
        "setupFutureUsage": "on_session",
        "collectBillingAddress": "if_required",
    }
    assert rules({"PL": rule})["PL"] == BehaviorRule(
        flow_type="pi_first",
        capture_method="automatic_async",
        setup_future_usage="on_session",
        collect_billing_address="if_required",
    )


@pytest.mark.parametrize("value", ["", "none", "null", "undefined", " None ", None])
def test_a_rule_may_leave_setup_future_usage_out(value: str | None) -> None:
    assert rules({"DE": {"setupFutureUsage": value}})["DE"].setup_future_usage is None


def test_a_rule_that_does_not_mention_setup_future_usage_leaves_it_unset() -> None:
    assert rules({"DE": {"flowType": "deferred"}})["DE"].setup_future_usage is UNSET


def test_rules_named_like_attributes_of_objects_are_ordinary_rules() -> None:
    assert list(rules({"__proto__": {}, "constructor": {}})) == ["__proto__", "constructor"]


@pytest.mark.parametrize(
    "value",
    [
        {"DE": {"captureMethod": "later"}},
        {"DE": {"flowType": ""}},
        {"DE": {"setupFutureUsage": "sometimes"}},
        {"DE": {"setupFutureUsage": 1}},
        {"DE": {"collectBillingAddress": True}},
        {"DE": {"capture_method": "manual"}},
        {"DE": {"amount": 1}},
        {"": {}},
        {" DE": {}},
        {"DE": "manual"},
        {"DE": None},
    ],
)
def test_a_rule_that_cannot_work_is_refused(value: object) -> None:
    (problem,) = problems(STRIPE_PAYMENT_BEHAVIOR_RULES=json.dumps(value))
    assert problem.startswith("STRIPE_PAYMENT_BEHAVIOR_RULES ")


@pytest.mark.parametrize(
    ("value", "usage"),
    [("off_session", "off_session"), ("On_Session", "on_session"), ("none", None), ("", None)],
)
def test_setup_future_usage_is_set_or_left_out_on_purpose(value: str, usage: str | None) -> None:
    settings = load(STRIPE_PAYMENT_INTENT_SETUP_FUTURE_USAGE=value)
    assert settings.stripe_payment_intent_setup_future_usage == usage


def test_an_unknown_setup_future_usage_is_refused() -> None:
    (problem,) = problems(STRIPE_PAYMENT_INTENT_SETUP_FUTURE_USAGE="always")
    assert problem.startswith("STRIPE_PAYMENT_INTENT_SETUP_FUTURE_USAGE must be off_session or")


# --- Warnings ----------------------------------------------------------------------------------


def test_nothing_is_to_be_said_about_a_complete_environment() -> None:
    assert load(STRIPE_WEBHOOK_SIGNING_SECRET="whsec_a").warnings == ()


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_refused_in_words_without_its_address(name: str) -> None:
    told = unused_proxies({name: "http://ada:secret@proxy.example:3128", "NO_PROXY": "localhost"})
    assert told is not None
    assert told.startswith(f"{name} is not used: calls to Stripe and commercetools go out directly")
    assert "proxy.example" not in told
    assert unused_proxies({name: "", "NO_PROXY": "localhost"}) is None


def test_a_missing_webhook_secret_is_a_warning() -> None:
    (warning,) = load().warnings
    assert warning.startswith("STRIPE_WEBHOOK_SIGNING_SECRET is not set")


def test_another_api_version_is_a_warning() -> None:
    settings = load(STRIPE_WEBHOOK_SIGNING_SECRET="whsec_a", STRIPE_API_VERSION="2025-12-15.clover")
    (warning,) = settings.warnings
    assert settings.stripe_api_version == "2025-12-15.clover"
    assert warning.startswith(f"STRIPE_API_VERSION differs from {API_VERSION}")


def test_the_pinned_api_version_is_no_warning() -> None:
    assert (
        load(STRIPE_WEBHOOK_SIGNING_SECRET="whsec_a", STRIPE_API_VERSION=API_VERSION).warnings == ()
    )


def test_a_rule_that_drops_off_session_is_a_warning() -> None:
    settings = load(
        STRIPE_WEBHOOK_SIGNING_SECRET="whsec_a",
        STRIPE_PAYMENT_INTENT_SETUP_FUTURE_USAGE="off_session",
        STRIPE_PAYMENT_BEHAVIOR_RULES='{"DE": {"setupFutureUsage": ""}, "FR": {}}',
    )
    (warning,) = settings.warnings
    assert "'DE'" in warning


def test_buy_now_needs_to_know_its_address_and_to_sign_its_cookie() -> None:
    secret, address = problems(BUY_NOW_ENABLED="true")
    assert secret.startswith("BUY_NOW_ENABLED needs BUY_NOW_COOKIE_SECRET")
    assert address.startswith("BUY_NOW_ENABLED needs BUY_NOW_URL or CONNECT_SERVICE_URL")
    complete = {"BUY_NOW_ENABLED": "true", "BUY_NOW_COOKIE_SECRET": "x" * 32}
    assert load(**complete, BUY_NOW_URL="https://pay.example.com").buy_now_enabled
    assert load(**complete, CONNECT_SERVICE_URL="https://pay.example.com").buy_now_enabled


@pytest.mark.parametrize("secret", ["short", "x" * 31, "x" * 20 + " " + "y" * 20])
def test_a_weak_cookie_secret_is_refused(secret: str) -> None:
    (problem,) = problems(BUY_NOW_COOKIE_SECRET=secret)
    assert problem.startswith("BUY_NOW_COOKIE_SECRET must have at least 32 characters")


# --- Declaration and documents -----------------------------------------------------------------


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        load().port = 1  # type: ignore[misc]


def test_every_attribute_is_named_like_its_variable() -> None:
    fields = [field.name for field in dataclasses.fields(Settings)]
    assert sorted(fields) == sorted(variable.attribute for variable in variables())


@pytest.mark.parametrize("name", sorted(IGNORED))
def test_ignored_variables_change_nothing(name: str) -> None:
    assert load(**{name: "whatever"}) == load()


def test_the_configuration_page_is_current() -> None:
    render = runpy.run_path(str(ROOT / "scripts" / "generate_configuration_docs.py"))["render"]
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert page == render(), "run scripts/generate_configuration_docs.py"


def example() -> dict[str, str]:
    """The variables of .env.example, also those that are commented out."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return dict(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]*)=(.*)$", text, re.MULTILINE))


def test_the_example_names_only_variables_that_exist() -> None:
    assert set(example()) <= {variable.name for variable in variables()}


def test_the_example_names_every_required_variable() -> None:
    assert set(REQUIRED) <= set(example())


def test_the_example_works_once_the_credentials_are_filled_in() -> None:
    given = {name: value for name, value in example().items() if value}
    assert load_settings({**REQUIRED, **given}).environment == "test"


def test_the_example_holds_no_secrets() -> None:
    secret = {variable.name for variable in variables() if variable.secret}
    assert not {name for name, value in example().items() if value} & secret
