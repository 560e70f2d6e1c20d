"""What can be wrong with a deployment: each fault, where it shows, its cause and its remedy."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from msgspec import Struct

from stripe_connector.deploy.webhook import EVENTS, FINGERPRINT, fingerprint
from stripe_connector.health import REQUIRED_SCOPES
from stripe_connector.ledger import operation, proof
from stripe_connector.ops.doctor.checks import CheckOutcome
from stripe_connector.ops.doctor.commercetools_checks import STOREFRONT_SCOPES
from stripe_connector.payments.interactions import Interaction, interaction_type_draft
from stripe_connector.payments.own_account import CONTAINER, LIVE_OWNER
from stripe_connector.payments.stored import customers
from stripe_connector.payments.stored.method_records import JOB_REFUSED
from tests.behaviour.clinic import (
    CUSTOMER_TYPE,
    SOUND,
    WEBHOOKS,
    Clinic,
    Json,
    stripe_error,
)
from tests.world import LIVE, SECRET

Harm = Callable[[Clinic], Awaitable[None]]
POST_DEPLOY = "stripe-connector post-deploy"
RECONCILE = "stripe-connector reconcile --apply"


class Case(Struct, frozen=True):
    """A fault, where it shows, and words of its cause and its remedy."""

    harm: Harm
    where: str
    cause: str
    remedy: str
    outcome: CheckOutcome = CheckOutcome.FAIL


CASES: dict[str, Case] = {}


def case(
    where: str, cause: str, remedy: str, outcome: CheckOutcome = CheckOutcome.FAIL
) -> Callable[[Harm], Harm]:
    def add(harm: Harm) -> Harm:
        CASES[harm.__name__] = Case(harm, where, cause, remedy, outcome)
        return harm

    return add


async def scoped(clinic: Clinic, client_id: str, scopes: list[str]) -> None:
    """Let the doctor be told of an API client with these scopes."""
    clinic.world.store.tokens.register(client_id, "a secret of its own", scopes)
    clinic.environment |= {"CTP_CLIENT_ID": client_id, "CTP_CLIENT_SECRET": "a secret of its own"}


ALL_SCOPES = (*REQUIRED_SCOPES, *STOREFRONT_SCOPES)


# Settings


@case("Settings: Values", "BFF_REQUESTS_PER_MINUTE is 0", "Change", CheckOutcome.WARN)
async def live_without_a_rate_limit(clinic: Clinic) -> None:
    await live(clinic)
    clinic.environment["BFF_REQUESTS_PER_MINUTE"] = "0"


@case("Settings: Values", "BFF_PAYMENT_PAGES_PER_MINUTE is 0", "Change", CheckOutcome.WARN)
async def live_with_payment_pages_without_limit(clinic: Clinic) -> None:
    await live(clinic)
    clinic.environment["BFF_PAYMENT_PAGES_PER_MINUTE"] = "0"


@case("Settings: Values", "BUY_NOW_SESSIONS_PER_MINUTE is 0", "Change", CheckOutcome.WARN)
async def live_with_buy_now_pages_without_limit(clinic: Clinic) -> None:
    await live(clinic)
    clinic.environment["BUY_NOW_SESSIONS_PER_MINUTE"] = "0"


@case("Settings: Values", "FAILED_AUTHENTICATIONS_PER_MINUTE is 0", "Change", CheckOutcome.WARN)
async def live_with_guesses_without_limit(clinic: Clinic) -> None:
    await live(clinic)
    clinic.environment["FAILED_AUTHENTICATIONS_PER_MINUTE"] = "0"


@case("Settings: Values", "SHUTDOWN_GRACE_S is not longer", "Change", CheckOutcome.WARN)
async def a_stop_that_cuts_requests(clinic: Clinic) -> None:
    clinic.environment["SHUTDOWN_GRACE_S"] = "10"


@case("Settings: Secrets", "CHECKOUT_LINK_SECRET still has the value of an example", "openssl rand")
async def a_placeholder_for_a_secret(clinic: Clinic) -> None:
    clinic.environment["CHECKOUT_LINK_SECRET"] = "change-me-to-at-least-32-characters"


@case(
    "Settings: Secrets",
    "BUY_NOW_COOKIE_SECRET and CHECKOUT_LINK_SECRET have the same value",
    "each its own",
)
async def one_secret_for_two_things(clinic: Clinic) -> None:
    secret = "the-same-for-links-and-for-cookies"
    clinic.environment |= {"CHECKOUT_LINK_SECRET": secret, "BUY_NOW_COOKIE_SECRET": secret}


@case("Settings: Return page", "cannot confirm payments", "ALLOWED_ORIGINS", CheckOutcome.WARN)
async def a_return_page_elsewhere(clinic: Clinic) -> None:
    clinic.environment["MERCHANT_RETURN_URL"] = "http://localhost:3001/return"


@case(
    "Settings: Customers' carts",
    "STOREFRONT_SECRET is not set",
    "set it here and",
    CheckOutcome.WARN,
)
async def live_without_the_shops_word(clinic: Clinic) -> None:
    await live(clinic)
    del clinic.environment["STOREFRONT_SECRET"]


@case("Settings: Return address", "RETURN_URL_CART_ID is true", "signed cookie", CheckOutcome.WARN)
async def live_with_the_cart_in_the_address(clinic: Clinic) -> None:
    await live(clinic)
    clinic.environment["RETURN_URL_CART_ID"] = "true"


# commercetools


@case("commercetools: API client", "refuses the API client (access token: 401", "CTP_CLIENT_SECRET")
async def a_wrong_client_secret(clinic: Clinic) -> None:
    clinic.environment["CTP_CLIENT_SECRET"] = "not the secret of this client"


@case("commercetools: API client", "did not answer (POST auth.test: ConnectError", "CTP_AUTH_URL")
async def an_authorization_host_that_is_down(clinic: Clinic) -> None:
    clinic.hosts["auth.test"].error = "refused"


@case("commercetools: API client", "did not answer within 2 s", "CTP_AUTH_URL")
async def an_authorization_host_that_hangs(clinic: Clinic) -> None:
    clinic.hosts["auth.test"].hangs = True


@case("commercetools: API client", "404", "CTP_AUTH_URL")
async def an_authorization_host_of_somebody_else(clinic: Clinic) -> None:
    clinic.environment["CTP_AUTH_URL"] = "http://jwt.test"


@case("commercetools: Project", "CTP_PROJECT_KEY is another-project", "CTP_PROJECT_KEY")
async def another_project(clinic: Clinic) -> None:
    clinic.environment["CTP_PROJECT_KEY"] = "another-project"


@case("commercetools: Scopes", "lacks manage_payments:sandbox", "API client with these scopes")
async def a_missing_scope(clinic: Clinic) -> None:
    await scoped(clinic, "poor", [each for each in ALL_SCOPES if each != "manage_payments"])


@case(
    "commercetools: Storefront's scopes",
    "lacks view_products:sandbox",
    "API client with these scopes",
    CheckOutcome.WARN,
)
async def a_missing_scope_of_the_storefront(clinic: Clinic) -> None:
    await scoped(clinic, "poor", [each for each in ALL_SCOPES if each != "view_products"])


@case("commercetools: API host", "does not accept project sandbox", "CTP_API_URL")
async def an_api_host_of_another_region(clinic: Clinic) -> None:
    gone = {"statusCode": 404, "message": "URI not found", "errors": []}
    clinic.hosts["api.test"].answer("GET", "/sandbox/payments", 404, gone)


@case("commercetools: API host", "did not answer", "CTP_API_URL")
async def an_api_host_that_is_down(clinic: Clinic) -> None:
    clinic.hosts["api.test"].error = "refused"


@case("commercetools: Session host", "did not answer", "CTP_SESSION_URL")
async def a_session_host_that_is_down(clinic: Clinic) -> None:
    clinic.hosts["session.test"].error = "refused"


@case("commercetools: Session host", "answered unexpectedly (session: 404)", "CTP_SESSION_URL")
async def a_session_host_of_somebody_else(clinic: Clinic) -> None:
    clinic.environment["CTP_SESSION_URL"] = "http://jwt.test"


@case("commercetools: Checkout host", "did not answer", "CTP_CHECKOUT_URL")
async def a_checkout_host_that_is_down(clinic: Clinic) -> None:
    clinic.hosts["checkout.test"].error = "refused"


@case("commercetools: Merchant Center's keys", "did not answer", "CTP_JWKS_URL")
async def a_key_server_that_is_down(clinic: Clinic) -> None:
    clinic.hosts["jwt.test"].error = "refused"


@case("commercetools: Merchant Center's keys", "has no keys", "CTP_JWKS_URL")
async def a_key_server_without_keys(clinic: Clinic) -> None:
    clinic.environment["CTP_JWKS_URL"] = "http://jwt.test/jwt/token"


@case("commercetools: Token issuer", "but the keys are those of", "CTP_JWT_ISSUER")
async def an_issuer_whose_keys_are_others(clinic: Clinic) -> None:
    merchant_center = "mc-api.europe-west1.gcp.commercetools.com"
    clinic.hosts[merchant_center] = clinic.hosts["jwt.test"]
    clinic.environment |= {
        "CTP_JWKS_URL": f"https://{merchant_center}/jwt/.well-known/jwks.json",
        "CTP_JWT_ISSUER": "https://mc-api.test",
    }


@case("commercetools: Token issuer", "has a path", "CTP_JWT_ISSUER")
async def the_address_of_the_keys_for_an_issuer(clinic: Clinic) -> None:
    clinic.environment["CTP_JWT_ISSUER"] = clinic.environment["CTP_JWKS_URL"]


@case("commercetools: Token issuer", "not a host of commercetools", "CTP_JWKS_URL")
async def live_with_keys_of_a_mock(clinic: Clinic) -> None:
    await live(clinic)
    clinic.hosts["jwt.example"] = clinic.hosts["jwt.test"]
    clinic.environment["ALLOWED_BACKEND_HOSTS"] = "jwt.example"
    clinic.environment["CTP_JWKS_URL"] = "https://jwt.example/jwt/.well-known/jwks.json"


# Custom types


@case("Custom types: Operation type", "does not exist", POST_DEPLOY, CheckOutcome.WARN)
async def a_type_that_is_missing(clinic: Clinic) -> None:
    await clinic.delete_type(operation.TYPE_KEY)


@case("Custom types: Operation type", f"lacks the fields {proof.ERROR}:", POST_DEPLOY)
async def a_type_without_one_of_its_fields(clinic: Clinic) -> None:
    await clinic.delete_type(operation.TYPE_KEY)
    draft = operation.operation_type_draft()
    definitions = [each for each in draft["fieldDefinitions"] if each["name"] != proof.ERROR]
    await clinic.create_type({**draft, "fieldDefinitions": definitions})


@case("Custom types: Operation type", f"lacks the fields {proof.ERROR}:", "addFieldDefinition")
async def a_shared_type_without_one_of_our_fields(clinic: Clinic) -> None:
    await clinic.delete_type(operation.TYPE_KEY)
    draft = operation.operation_type_draft()
    draft["fieldDefinitions"] = [
        {**each, "name": "theirs"} if each["name"] == proof.ERROR else each
        for each in draft["fieldDefinitions"]
    ]
    await clinic.create_type(draft)


@case("Custom types: Proof type", "does not exist", POST_DEPLOY, CheckOutcome.WARN)
async def a_type_for_proofs_that_is_missing(clinic: Clinic) -> None:
    await clinic.delete_type(proof.TYPE_KEY)


@case("Custom types: Customer type", "is for order, not for customer", "CT_CUSTOM_TYPE_STRIPE")
async def a_type_of_somebody_else(clinic: Clinic) -> None:
    await clinic.delete_type(CUSTOMER_TYPE)
    await clinic.create_type(
        {**customers.customer_type_draft(CUSTOMER_TYPE), "resourceTypeIds": ["order"]}
    )


async def with_customer_field(clinic: Clinic, **changes: object) -> None:
    await clinic.delete_type(CUSTOMER_TYPE)
    draft = customers.customer_type_draft(CUSTOMER_TYPE)
    (field,) = draft["fieldDefinitions"]
    await clinic.create_type({**draft, "fieldDefinitions": [{**field, **changes}]})


@case("Custom types: Customer type", "another type than String", "changeKey")
async def a_field_of_another_type(clinic: Clinic) -> None:
    await with_customer_field(clinic, type={"name": "Number"})


@case("Custom types: Customer type", f"requires {customers.FIELD}", "name another in CT_")
async def a_field_that_is_required(clinic: Clinic) -> None:
    await with_customer_field(clinic, required=True)


@case("Custom types: Interaction type", "does not exist", POST_DEPLOY, CheckOutcome.WARN)
async def interactions_without_their_type(clinic: Clinic) -> None:
    clinic.environment["STRIPE_INTERFACE_INTERACTIONS"] = "true"


@case("Custom types: Merchant's types", "(our-orders)", "correct the key", CheckOutcome.WARN)
async def a_merchants_type_that_is_missing(clinic: Clinic) -> None:
    clinic.environment["CT_CUSTOM_TYPE_LAUNCHPAD_PURCHASE_ORDER_KEY"] = "our-orders"


# Stripe


@case("Stripe: API key", "does not know STRIPE_SECRET_KEY", "STRIPE_SECRET_KEY to a key")
async def an_unknown_secret_key(clinic: Clinic) -> None:
    clinic.environment["STRIPE_SECRET_KEY"] = "sk_test_of_nobody"


@case("Stripe: API key", "has expired", "the key that has replaced it")
async def an_expired_secret_key(clinic: Clinic) -> None:
    expired = stripe_error("api_key_expired", "Expired API Key provided: sk_test_***box")
    clinic.hosts["stripe.test"].answer("GET", "/v1/*", 401, expired)


@case("Stripe: API key", "did not answer", "STRIPE_API_BASE")
async def a_stripe_that_is_down(clinic: Clinic) -> None:
    clinic.hosts["stripe.test"].error = "refused"


@case("Stripe: API key", "did not answer within 2 s", "STRIPE_API_BASE")
async def a_stripe_that_hangs(clinic: Clinic) -> None:
    clinic.hosts["stripe.test"].hangs = True


@case("Stripe: Permissions", "may not read refunds, webhook_endpoints", "write for payment_intents")
async def a_restricted_key_with_too_little(clinic: Clinic) -> None:
    clinic.environment["STRIPE_SECRET_KEY"] = "rk_test_sandbox"
    denied = stripe_error("", "The provided key does not have the required permissions.")
    for path in ("/v1/refunds", "/v1/webhook_endpoints"):
        clinic.hosts["stripe.test"].answer("GET", path, 403, denied)


@case("Stripe: Permissions", "may not read payment_intents", "write for payment_intents")
async def a_restricted_key_that_may_not_read_payments(clinic: Clinic) -> None:
    clinic.environment["STRIPE_SECRET_KEY"] = "rk_test_sandbox"
    denied = stripe_error("", "The provided key does not have the required permissions.")
    clinic.hosts["stripe.test"].answer("GET", "/v1/payment_intents", 403, denied)


@case("Stripe: API key", "answers in API version 2025-08-27.basil", "Stripe-Version")
async def a_proxy_that_changes_the_api_version(clinic: Clinic) -> None:
    page = {"object": "list", "data": [], "has_more": False, "url": "/v1/payment_intents"}
    clinic.hosts["stripe.test"].answer("GET", "/v1/payment_intents", 200, page, "2025-08-27.basil")


@case("Stripe: Account", "cannot take payments", "activation", CheckOutcome.WARN)
async def an_account_that_is_not_activated(clinic: Clinic) -> None:
    clinic.world.stripe.charges_enabled = False


@case("Stripe: Account", "cannot take payments", "activation")
async def a_live_account_that_is_not_activated(clinic: Clinic) -> None:
    await live(clinic)
    clinic.world.stripe.charges_enabled = False


@case("Stripe: Account", "makes no payouts", "Payouts", CheckOutcome.WARN)
async def an_account_without_payouts(clinic: Clinic) -> None:
    clinic.world.stripe.payouts_enabled = False


@case("Stripe: Publishable key", "does not know", "STRIPE_PUBLISHABLE_KEY to the account's")
async def an_unknown_publishable_key(clinic: Clinic) -> None:
    clinic.environment["STRIPE_PUBLISHABLE_KEY"] = "pk_test_of_nobody"


@case(
    "Stripe: Publishable key",
    "are of different accounts",
    "STRIPE_PUBLISHABLE_KEY to the account's",
)
async def a_publishable_key_of_another_account(clinic: Clinic) -> None:
    await clinic.world.ask_stripe("POST", "/v1/payment_intents", amount=1000, currency="eur")
    gone = stripe_error("resource_missing", "No such payment_intent")
    clinic.hosts["stripe.test"].answer("GET", "/v1/payment_intents/pi_*", 404, gone)


@case("Stripe: Publishable key", "answered unexpectedly", "STRIPE_API_BASE")
async def a_payment_that_browsers_cannot_see(clinic: Clinic) -> None:
    await clinic.world.ask_stripe("POST", "/v1/payment_intents", amount=1000, currency="eur")
    odd = stripe_error("", "Unexpected client secret.")
    clinic.hosts["stripe.test"].answer("GET", "/v1/payment_intents/pi_*", 400, odd)


@case("Stripe: Publishable key", "did not answer", "STRIPE_API_BASE")
async def a_stripe_that_fails_browsers(clinic: Clinic) -> None:
    down = stripe_error("", "Down.", "api_error")
    clinic.hosts["stripe.test"].answer("GET", "/v1/payment_intents/pi_*", 500, down)


@case(
    "Stripe: Publishable key",
    "are of different accounts",
    "STRIPE_PUBLISHABLE_KEY to the account's",
)
async def keys_that_say_two_accounts(clinic: Clinic) -> None:
    keys = {"51" + letter * 15 + "k" * 80 for letter in "ab"}
    secret, publishable = sorted(keys)
    clinic.environment["STRIPE_SECRET_KEY"] = f"sk_test_{secret}"
    clinic.environment["STRIPE_PUBLISHABLE_KEY"] = f"pk_test_{publishable}"
    clinic.world.stripe.secret_keys |= {f"sk_test_{secret}"}
    clinic.world.stripe.publishable_key = f"pk_test_{publishable}"


@case("Stripe: Stripe.js", "belongs to https://js.stripe.com/endive", "Remove", CheckOutcome.WARN)
async def an_old_stripe_js(clinic: Clinic) -> None:
    clinic.environment["STRIPE_JS_URL"] = "https://js.stripe.com/v3"


@case("Stripe: Stripe.js", "must be entered into Stripe's own script", "Remove")
async def live_with_a_stripe_js_of_somebody_else(clinic: Clinic) -> None:
    await live(clinic)
    clinic.environment["ALLOWED_BACKEND_HOSTS"] = "cdn.example"
    clinic.environment["STRIPE_JS_URL"] = "https://cdn.example/stripe.js"


@case("Stripe: Apple Pay domains", "shop.example", "Payment method domains", CheckOutcome.WARN)
async def a_domain_that_is_not_registered(clinic: Clinic) -> None:
    clinic.environment["ALLOWED_ORIGINS"] += ",https://shop.example"
    clinic.deploy(clinic.environment)


# Webhooks


@case("Webhooks: Endpoint", f"no webhook endpoint for {WEBHOOKS}", POST_DEPLOY)
async def no_endpoint(clinic: Clinic) -> None:
    await clinic.delete_endpoint()


@case("Webhooks: Endpoint", f"no webhook endpoint for {WEBHOOKS}", "leaves those of other")
async def an_endpoint_of_another_deployment(clinic: Clinic) -> None:
    await clinic.change_endpoint(url="https://old.example/stripe/webhooks")


@case("Webhooks: Endpoint", "leads to https://old.example/hooks", f"Run {POST_DEPLOY}")
async def a_configured_endpoint_that_leads_elsewhere(clinic: Clinic) -> None:
    await clinic.change_endpoint(url="https://old.example/hooks")
    (endpoint,) = clinic.world.stripe.endpoints
    clinic.environment["STRIPE_WEBHOOK_ID"] = endpoint["id"]


@case("Webhooks: Endpoint", "no webhook endpoint we_gone in test mode", "STRIPE_WEBHOOK_ID")
async def a_configured_endpoint_that_is_gone(clinic: Clinic) -> None:
    clinic.environment["STRIPE_WEBHOOK_ID"] = "we_gone"


@case("Webhooks: Enabled", "is disabled", RECONCILE)
async def a_disabled_endpoint(clinic: Clinic) -> None:
    await clinic.change_endpoint(disabled="true")


@case("Webhooks: Events", "does not receive refund.failed.", f"Run {POST_DEPLOY}")
async def an_endpoint_that_misses_an_event(clinic: Clinic) -> None:
    types = sorted(every_event_but("refund.failed"))
    await clinic.change_endpoint(**{"enabled_events[]": types})


@case(
    "Webhooks: API version", "has API version 2025-08-27.basil, not", POST_DEPLOY, CheckOutcome.WARN
)
async def an_endpoint_of_another_version(clinic: Clinic) -> None:
    await clinic.delete_endpoint()
    await clinic.create_endpoint(api_version="2025-08-27.basil")


@case("Webhooks: Only one", "every event arrives 2 times", "Disable all but", CheckOutcome.WARN)
async def two_endpoints_with_one_url(clinic: Clinic) -> None:
    await clinic.create_endpoint()


@case("Webhooks: Endpoint's secret", "does not hold the secret", "deploy again", CheckOutcome.WARN)
async def the_secret_of_another_endpoint(clinic: Clinic) -> None:
    await clinic.change_endpoint(**{f"metadata[{FINGERPRINT}]": fingerprint("whsec_another")})


@case(
    "Webhooks: Deliveries",
    "1 events of the last three days were not delivered, and none",
    RECONCILE,
)
async def events_that_nobody_takes(clinic: Clinic) -> None:
    await undelivered(clinic)


@case("Webhooks: Deliveries", "101 events of the last three days", RECONCILE)
async def more_events_than_a_page_holds(clinic: Clinic) -> None:
    await undelivered(clinic, 101)


@case("Webhooks: Deliveries", "They may be for", RECONCILE, CheckOutcome.WARN)
async def events_that_perhaps_somebody_else_does_not_take(clinic: Clinic) -> None:
    await clinic.create_endpoint("https://accounting.example/hooks")
    await undelivered(clinic)


# Processor


@case("Processor: Reachable", "did not answer", "CONNECT_SERVICE_URL")
async def a_processor_that_is_down(clinic: Clinic) -> None:
    clinic.hosts["processor.test"].error = "refused"


@case("Processor: Reachable", "The certificate of http://processor.test is not valid", "Renew")
async def a_certificate_that_has_expired(clinic: Clinic) -> None:
    clinic.hosts["processor.test"].error = "certificate verify failed: certificate has expired"


@case("Processor: Reachable", "answers 404: it is not a processor", "CONNECT_SERVICE_URL")
async def another_program_in_the_processors_place(clinic: Clinic) -> None:
    clinic.hosts["processor.test"] = clinic.hosts["jwt.test"]


@case("Processor: Reachable", "answers 200: it is not a processor", "CONNECT_SERVICE_URL")
async def a_web_page_in_the_processors_place(clinic: Clinic) -> None:
    clinic.hosts["processor.test"].answer("GET", "/health/ready", 200, "<h1>It works!</h1>")


@case("Processor: Reachable", "does not return X-Correlation-ID", "proxy", CheckOutcome.WARN)
async def a_proxy_that_drops_correlation_ids(clinic: Clinic) -> None:
    clinic.hosts["processor.test"].answer("GET", "/health/ready", 200, {"status": "UP"})


@case("Processor: Guarded", "answers 200 to a caller without a token", "proxy")
async def a_proxy_that_lets_everybody_in(clinic: Clinic) -> None:
    clinic.hosts["processor.test"].answer("GET", "/operations/status", 200, {"status": "OK"})


@case("Processor: Origins", "refuses pages of http://localhost:4000", "Deploy again")
async def an_origin_that_the_processor_does_not_know(clinic: Clinic) -> None:
    clinic.environment["ALLOWED_ORIGINS"] += ",http://localhost:4000"


@case("Processor: Clock here", "400 s ahead of Stripe's", "NTP")
async def a_clock_here_that_is_ahead(clinic: Clinic) -> None:
    clinic.clock.ahead_s = 400


@case("Processor: Clock there", "400 s behind Stripe's: webhooks", "NTP")
async def a_clock_there_that_is_behind(clinic: Clinic) -> None:
    clinic.hosts["processor.test"].ahead_s = -400


@case("Processor: Clock there", "60 s ahead of Stripe's", "NTP", CheckOutcome.WARN)
async def a_clock_there_that_drifts(clinic: Clinic) -> None:
    clinic.hosts["processor.test"].ahead_s = 60


@case("Processor: Clock there", "has no Date header", "proxies", CheckOutcome.WARN)
async def a_proxy_that_hides_the_date(clinic: Clinic) -> None:
    clinic.hosts["processor.test"].shows_date = False


@case("Processor: Signing secret", "refuses what secret 2", "the endpoint's secret")
async def a_signing_secret_that_the_processor_does_not_have(clinic: Clinic) -> None:
    clinic.environment["STRIPE_WEBHOOK_SIGNING_SECRET"] = f"{SECRET},whsec_another"


@case("Processor: Signing secret", "has no STRIPE_WEBHOOK_SIGNING_SECRET", "the endpoint's secret")
async def a_processor_without_a_signing_secret(clinic: Clinic) -> None:
    clinic.deploy({**SOUND, "STRIPE_WEBHOOK_SIGNING_SECRET": ""})


@case("Processor: Signing secret", "answers a signed event with 405", "proxy")
async def a_proxy_that_refuses_to_post(clinic: Clinic) -> None:
    clinic.hosts["processor.test"].answer("POST", "/stripe/webhooks", 405, {})


# Payments


@case("Payments: Amounts", "1 payments (", "refund or reverse", CheckOutcome.WARN)
async def a_payment_of_another_amount(clinic: Clinic) -> None:
    payment = await clinic.world.payment(await paid(clinic))
    status = {"action": "setStatusInterfaceCode", "interfaceCode": "amount_mismatch"}
    await change_payment(clinic, payment, status)


@case("Payments: Unfinished", "1 payments (", RECONCILE, CheckOutcome.WARN)
async def an_operation_that_was_never_finished(clinic: Clinic) -> None:
    payment = await clinic.world.payment(await paid(clinic))
    refund = {
        "type": "Refund",
        "amount": {"centAmount": 100, "currencyCode": "EUR"},
        "state": "Initial",
        "timestamp": "2020-01-01T00:00:00.000Z",
    }
    await change_payment(clinic, payment, {"action": "addTransaction", "transaction": refund})


@case("Payments: Refused jobs", "1 payments (", "Remove the cause", CheckOutcome.WARN)
async def a_recurring_payment_job_that_was_refused(clinic: Clinic) -> None:
    payment = await clinic.world.payment(await paid(clinic))
    await clinic.create_type(interaction_type_draft())
    told = Interaction(JOB_REFUSED, payment["id"], response={"code": "InvalidInput"})
    action = msgspec.to_builtins(told.action("2026-10-08T00:00:00.000Z"))
    await change_payment(clinic, payment, action)


@case("Payments: Failed jobs", "1 recurring payment jobs (", "in Checkout", CheckOutcome.WARN)
async def a_recurring_payment_job_that_has_failed(clinic: Clinic) -> None:
    clinic.world.store.insert("recurring-payment-job", {"status": {"state": "Failed"}})


@case("commercetools: Mode", "this processor has test keys", "TEST_MODE_ON_LIVE_PROJECT=true")
async def sandbox_keys_in_a_project_that_takes_real_payments(clinic: Clinic) -> None:
    owner = {"container": CONTAINER, "key": LIVE_OWNER, "value": {"environment": "live"}}
    await clinic.world.commercetools("POST", "custom-objects", owner)


async def live(clinic: Clinic) -> None:
    """Make it a deployment in live mode, at commercetools' and Stripe's own hosts."""
    region = "europe-west1.gcp.commercetools.com"
    names = ("auth", "api", "session", "checkout")
    clinic.hosts |= {f"{name}.{region}": clinic.hosts[f"{name}.test"] for name in names}
    clinic.hosts |= {
        f"mc-api.{region}": clinic.hosts["jwt.test"],
        "api.stripe.com": clinic.hosts["stripe.test"],
    }
    shop = "https://shop.example"
    clinic.environment |= {
        **LIVE,
        **{f"CTP_{name.upper()}_URL": f"https://{name}.{region}" for name in names},
        "CONNECT_SERVICE_URL": "https://processor.example",
        "CTP_JWKS_URL": f"https://mc-api.{region}/jwt/.well-known/jwks.json",
        "CTP_JWT_ISSUER": f"https://mc-api.{region}",
        "STRIPE_API_BASE": "https://api.stripe.com",
        "ALLOWED_ORIGINS": shop,
        "MERCHANT_RETURN_URL": f"{shop}/return",
        "STOREFRONT_URL": shop,
        "STOREFRONT_SECRET": "Jm5sQ8vTz2LrXw7KcBn4HpYf1DgAe9uR",
        "RETURN_URL_CART_ID": "false",
    }
    del clinic.environment["ALLOWED_BACKEND_HOSTS"]
    clinic.world.admit_live()
    owner = {"container": CONTAINER, "key": LIVE_OWNER, "value": {"environment": "live"}}
    await clinic.world.commercetools("POST", "custom-objects", owner)
    await clinic.change_endpoint(url="https://processor.example/stripe/webhooks")
    await clinic.world.ask_stripe("POST", "/v1/payment_method_domains", domain_name="shop.example")
    clinic.deploy(clinic.environment)


def every_event_but(missing: str) -> set[str]:
    return set(EVENTS) - {missing}


async def undelivered(clinic: Clinic, count: int = 1) -> None:
    """Payments are cancelled, and for an hour the events of that do not arrive."""
    for _ in range(count):
        intent = await clinic.world.ask_stripe(
            "POST", "/v1/payment_intents", amount=1000, currency="eur"
        )
        await clinic.world.ask_stripe("POST", f"/v1/payment_intents/{intent['id']}/cancel")
    clinic.world.clock.advance(3600)


async def paid(clinic: Clinic) -> str:
    """A payment, recorded; Stripe knows that its events have arrived."""
    payment_id = await clinic.world.paid()
    for deliveries in clinic.world.stripe.deliveries.values():
        for delivery in deliveries:
            delivery.status = "delivered"
    return payment_id


async def change_payment(clinic: Clinic, payment: Json, action: Json) -> None:
    body = {"version": payment["version"], "actions": [action]}
    await clinic.world.commercetools("POST", f"payments/{payment['id']}", body)
