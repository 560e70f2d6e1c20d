"""Declares every variable of the environment: parser, default or required, meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from msgspec import UNSET, Struct, UnsetType

from stripe_connector.gateways.stripe.api_version import API_VERSION
from stripe_connector.settings.declaration import defaulted, optional, required
from stripe_connector.settings.stripe_options import (
    BehaviorRule,
    CaptureMethod,
    CollectBillingAddress,
    FutureUsage,
    PaymentFlow,
    behavior_rules,
    future_usage,
    payment_element_options,
    saved_payment_methods,
)
from stripe_connector.settings.values import (
    base_url,
    boolean,
    choice,
    integer,
    json_object,
    key,
    matching,
    parse_origin,
    separated,
    text,
    url,
)

# Each release of Stripe.js uses the API release of its name; /v3 is older than all of them.
_STRIPE_JS_URL = f"https://js.stripe.com/{API_VERSION.partition('.')[2]}/stripe.js"

Environment = Literal["test", "live"]
MismatchAction = Literal["hold", "reverse"]
OrderFailedAction = Literal["hold", "reverse"]
LogLevel = Literal["debug", "info", "warning", "error"]

_CURRENCY = matching(r"[A-Z]{3}", "must be an ISO 4217 code in capital letters, such as EUR")
_RANDOM = matching(
    r"[!-+\--~]{32,}",
    "must have at least 32 characters, none of them white space: make one with"
    " `openssl rand -hex 32`",
)
_COUNTRY = matching(r"[A-Z]{2}", "must be an ISO 3166-1 code in capital letters, such as DE")


class Market(Struct, frozen=True):
    """Where the shop sells: a currency and the country whose prices are meant."""

    currency: str
    country: str


def _market(value: str) -> Market:
    """A market as `EUR:DE`."""
    currency, colon, country = value.partition(":")
    if not colon:
        raise ValueError("must be currency and country with a colon between, such as EUR:DE")
    return Market(_CURRENCY(currency), _COUNTRY(country))


IGNORED = {
    "MOCK_ENVIRONMENT": "The environment, test or live, follows from STRIPE_SECRET_KEY.",
    "MOCK_CLIENT_KEY": "Browsers get STRIPE_PUBLISHABLE_KEY.",
    "CTP_SCOPE": "Tokens are requested without scopes and so have all scopes of the API client.",
    "CTP_CLIENT_SCOPE": "The same as CTP_SCOPE.",
    "CTP_CLIENT_REGION": "The hosts of the region are set one by one.",
}
"""Variables of other connectors or the platform; accepted, without effect here."""


def _level(value: str) -> LogLevel:
    """A log level; names of Node's loggers are accepted, too."""
    word = value.lower()
    words: dict[str, LogLevel] = {
        "warn": "warning",
        "http": "info",
        "verbose": "debug",
        "silly": "debug",
    }
    return words.get(word) or choice(*get_args(LogLevel))(word)


@dataclass(frozen=True, kw_only=True)
class CommercetoolsSettings:
    """The project, its API client and the hosts of its region."""

    ctp_project_key: str = required(key, "Key of the commercetools project.")
    ctp_client_id: str = required(text, "Id of the processor's API client.", secret=True)
    ctp_client_secret: str = required(text, "Secret of that API client.", secret=True)
    ctp_auth_url: str = defaulted(
        base_url,
        "https://auth.europe-west1.gcp.commercetools.com",
        "Authorization host of the project's region.",
    )
    ctp_api_url: str = defaulted(
        base_url,
        "https://api.europe-west1.gcp.commercetools.com",
        "API host of the project's region.",
    )
    ctp_session_url: str = defaulted(
        base_url,
        "https://session.europe-west1.gcp.commercetools.com",
        "Checkout session host of the project's region.",
    )
    ctp_checkout_url: str = defaulted(
        base_url,
        "https://checkout.europe-west1.gcp.commercetools.com",
        "Checkout host of the project's region.",
    )
    ctp_jwks_url: str = defaulted(
        base_url,
        "https://mc-api.europe-west1.gcp.commercetools.com/.well-known/jwks.json",
        "Address of the public keys for the Merchant Center's tokens.",
    )
    ctp_jwt_issuer: str = defaulted(
        base_url,
        "https://mc-api.europe-west1.gcp.commercetools.com",
        "Issuer that those tokens must name.",
    )
    payment_interface: str = defaulted(
        text,
        "checkout-stripe",
        "`paymentInterface` of payments and stored payment methods.",
    )
    ct_custom_type_launchpad_purchase_order_key: str = defaulted(
        key,
        "payment-launchpad-purchase-order",
        "Key of the payment type that holds purchase order numbers.",
    )
    ct_custom_type_stripe_customer_key: str = defaulted(
        key,
        "payment-connector-stripe-customer-id",
        "Key of the customer type that holds the Stripe customer's id.",
    )
    ct_custom_type_subscription_line_item_key: str = defaulted(
        key,
        "payment-connector-subscription-line-item-type",
        "Key of the line item type that holds subscription data.",
    )
    ct_product_type_subscription_key: str = defaulted(
        key,
        "payment-connector-subscription-information",
        "Key of the product type that describes subscriptions.",
    )


@dataclass(frozen=True, kw_only=True)
class StripeSettings:
    """The Stripe account, and how payments are taken."""

    stripe_secret_key: str = required(
        matching(
            r"(sk|rk)_(test|live)_\w+",
            "must be a secret or restricted key of Stripe: sk_test_..., sk_live_..., rk_test_..."
            " or rk_live_...; copy it from the Dashboard under Developers, API keys",
        ),
        "Secret or restricted API key. Its mode decides whether the processor is test or live.",
        secret=True,
    )
    stripe_publishable_key: str = required(
        matching(
            r"pk_(test|live)_\w+",
            "must be a publishable key of Stripe, pk_test_... or pk_live_...: browsers see it,"
            " so never a secret key",
        ),
        "Publishable API key of the same account and mode; browsers get it.",
    )
    stripe_webhook_signing_secret: tuple[str, ...] = optional(
        separated(
            matching(
                r"whsec_\w[^\s,]*",
                "must be a signing secret, whsec_...: copy it from the webhook endpoint's page",
            )
        ),
        "Signing secrets of the webhook endpoints, separated by commas (several during an"
        " exchange). Without one, webhooks answer 503 and the status is Partially Available.",
        absent=(),
        secret=True,
    )
    stripe_webhook_id: str | None = optional(
        matching(r"we_\w+", "must be the id of a webhook endpoint, we_..."),
        "Webhook endpoint that the deploy scripts keep up to date; without it, they find or"
        " create theirs.",
        absent=None,
    )
    stripe_api_version: str | None = optional(
        matching(
            r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?",
            f"must be a version of Stripe's API, such as {API_VERSION}",
        ),
        f"API version of ephemeral keys, for clients that need an older one. All else uses"
        f" {API_VERSION}.",
        absent=None,
    )
    stripe_capture_method: CaptureMethod = defaulted(
        choice(*get_args(CaptureMethod)),
        "automatic",
        "When money is captured: `automatic`, `automatic_async` or `manual`.",
    )
    stripe_payment_flow: PaymentFlow = defaulted(
        choice(*get_args(PaymentFlow)),
        "deferred",
        "`deferred` makes the payment intent when the shopper submits, `pi_first` before the"
        " payment element is shown.",
    )
    stripe_payment_behavior_rules: dict[str, BehaviorRule] = defaulted(
        behavior_rules,
        "{}",
        "JSON object: country or store key to `flowType`, `captureMethod`, `setupFutureUsage`,"
        " `collectBillingAddress`, each overriding its variable for such carts;"
        " `paymentMethods` (a list of Stripe's types) and `paymentMethodConfiguration` (`pmc_...`)"
        " restrict what they can be paid with.",
    )
    stripe_payment_intent_setup_future_usage: FutureUsage | UnsetType | None = optional(
        future_usage,
        "`off_session` or `on_session` keeps the payment method for later; blank or `none` does"
        " not. Not set, `payment_method_save_usage` of STRIPE_SAVED_PAYMENT_METHODS_CONFIG"
        " decides.",
        absent=UNSET,
        may_be_blank=True,
    )
    stripe_saved_payment_methods_config: dict[str, object] = defaulted(
        saved_payment_methods,
        "{}",
        "JSON object: features of Stripe's customer session for the Payment Element, such as"
        ' `{"payment_method_save":"enabled","payment_method_save_usage":"off_session"}`.',
    )
    stripe_enable_multi_operations: bool = defaulted(
        boolean, "false", "Asks for several captures of one payment where the card allows it."
    )
    stripe_repeat_window_s: int = defaulted(
        integer(0, 86_400),
        "120",
        "Seconds in which an equal capture, refund or cancellation counts as a repetition.",
    )
    stripe_mismatch_action: MismatchAction = defaulted(
        choice(*get_args(MismatchAction)),
        "hold",
        "When Stripe took another amount than the cart's: `hold` the order, or `reverse` the"
        " payment.",
    )
    test_mode_on_live_project: bool = defaulted(
        boolean,
        "false",
        "Allows a processor with test keys to open payment pages and mark orders in a project where"
        " a deployment with live keys takes real payments.",
    )
    order_failed_action: OrderFailedAction = defaulted(
        choice(*get_args(OrderFailedAction)),
        "hold",
        "What to do when a cart of the buy-now pages is paid and its order cannot be placed"
        " (price changed, out of stock, code invalid, cart locked): `hold` the payment for a"
        " person, or `reverse` it.",
    )
    stripe_interface_interactions: bool = defaulted(
        boolean,
        "false",
        "Stores masked requests and answers of Stripe as interface interactions of the payment.",
    )
    stripe_api_base: str = defaulted(base_url, "https://api.stripe.com", "Address of Stripe's API.")


@dataclass(frozen=True, kw_only=True)
class PaymentElementSettings:
    """What the shopper sees of Stripe. JSON is sent to the browser as written."""

    stripe_js_url: str = defaulted(
        url, _STRIPE_JS_URL, "Stripe.js; its release belongs to the API version."
    )
    stripe_appearance_payment_element: str | None = optional(
        json_object, "JSON object: appearance of the Payment Element.", absent=None
    )
    stripe_appearance_express_checkout: str | None = optional(
        json_object, "JSON object: appearance of the Express Checkout Element.", absent=None
    )
    stripe_layout: str = defaulted(
        json_object,
        '{"type":"tabs","defaultCollapsed":false}',
        "JSON object: layout of the Payment Element.",
    )
    stripe_collect_billing_address: CollectBillingAddress = defaulted(
        choice(*get_args(CollectBillingAddress)),
        "auto",
        "Whether the Payment Element asks for the billing address: `auto`, `never` or"
        " `if_required`.",
    )
    stripe_behavior_payment_element: str = defaulted(
        payment_element_options,
        "{}",
        "JSON object: `terms`, `wallets`, `defaultValues`, `fields`, `business`,"
        " `paymentMethodOrder`, `readOnly`, `layout` of the Payment Element.",
    )
    stripe_express_element_options: str | None = optional(
        json_object, "JSON object: options of the Express Checkout Element.", absent=None
    )
    stripe_apple_pay_well_known: str | None = optional(
        text,
        "Content of Apple Pay's domain association file; without it, the route answers 404.",
        absent=None,
    )
    stored_payment_methods_enabled: bool = defaulted(
        boolean, "false", "Allows shoppers to store payment methods and pay with them."
    )
    stored_payment_methods_interface_account: str | None = optional(
        text,
        "`interfaceAccount` of stored payment methods, where several Stripe accounts share a"
        " project; only methods of this account are then used.",
        absent=None,
    )


@dataclass(frozen=True, kw_only=True)
class StorefrontSettings:
    """Origins of storefronts, return addresses and the routes under `/api/v1`."""

    allowed_origins: tuple[str, ...] = required(
        separated(parse_origin),
        "Origins of the storefronts, separated by commas, each exactly as browsers send it:"
        " `https://shop.example.com`.",
    )
    merchant_return_url: str = required(
        url, "Page to which shoppers return when their session names none."
    )
    storefront_url: str = defaulted(
        base_url,
        "http://localhost:3000",
        "Shop that Stripe's hosted page leads back to. Live mode does not start with the default.",
    )
    storefront_currency: str = defaulted(
        _CURRENCY,
        "EUR",
        "Currency of carts that the storefront opens, and of the prices that it shows.",
    )
    storefront_country: str = defaulted(
        _COUNTRY,
        "DE",
        "Country of those carts and prices.",
    )
    storefront_markets: tuple[Market, ...] = optional(
        separated(_market),
        "Every currency and country that a page may ask carts and prices for, separated by commas:"
        " `EUR:DE,EUR:AT,USD:US`. Without it, STOREFRONT_CURRENCY and STOREFRONT_COUNTRY alone.",
        absent=(),
    )
    storefront_locale: str = defaulted(
        matching(
            r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|\d{3}))?",
            "must be a language tag, such as en or de-AT",
        ),
        "en",
        "Language of those carts, and of the names that the storefront shows.",
    )
    storefront_secret: str | None = optional(
        matching(r"\S{32,}", "must have at least 32 characters, none of them white space"),
        "Signs `X-Storefront-Token`, by which the shop's server authorises a caller to change or"
        " order a cart. A customer's cart requires it where this is set, and always in live mode.",
        absent=None,
        secret=True,
    )
    return_url_cart_id: bool = defaulted(
        boolean,
        "true",
        "Whether the enabler's return address contains the cart's id beside the payment's. Anyone"
        " who sees it can use the cart: set it to false once the return page reads the"
        " cart from a signed cookie. False from 2.0.",
    )
    bff_requests_per_minute: int = defaulted(
        integer(0, 100_000),
        "300",
        "Writes, reads of carts and orders, and guesses of discount codes that one client address"
        " may send to one instance under `/api/v1`, and as many reads of the catalogue; all clients"
        " together may send five times as many for one cart or order. 0 sets no limit. Raise it"
        " where a server of the shop calls for all shoppers.",
    )
    bff_payment_pages_per_minute: int = defaulted(
        integer(0, 100_000),
        "60",
        "Payment pages of orders that one client address may ask one instance for, by"
        " `/api/v1/payments/sessions` or a payment link; 0 sets no limit. Raise it where a server"
        " of the shop calls for all shoppers.",
    )
    bff_trusted_proxies: int = defaulted(
        integer(0, 10),
        "1",
        "Proxies in front that append to X-Forwarded-For; the client stands that many entries from"
        " its end. 0 ignores the header.",
    )
    checkout_cancel_unpaid_orders: bool = defaulted(
        boolean,
        "false",
        "Whether an order whose last payment page has expired, or whose delayed payment has failed,"
        " is cancelled; its payment state always becomes Failed.",
    )
    checkout_session_minutes: int = defaulted(
        integer(30, 1_438),
        "1438",
        "How long a payment page can be paid; Stripe allows half an hour to a day.",
    )
    checkout_pages_per_order_per_hour: int = defaulted(
        integer(1, 1_000),
        "10",
        "Payment pages opened for one order in an hour, over all callers. Above it the open page"
        " is answered, or 429 where none is open. A page at another total than the order's"
        " is always replaced.",
    )
    checkout_link_secret: str | None = optional(
        matching(r".{32,}", "must have at least 32 characters"),
        "Signs payment links for abandoned orders (`POST /operations/payment-links`); the same for"
        " all instances. Without it there are no links.",
        absent=None,
        secret=True,
    )
    checkout_link_hours: int = defaulted(
        integer(1, 8_760), "72", "How long such a link can be used."
    )
    bff_order_pii_minutes: int = defaulted(
        integer(0, 10_080),
        "60",
        "Minutes after its creation in which reading an order also shows personal data.",
    )


@dataclass(frozen=True, kw_only=True)
class BuyNowSettings:
    """Pages of the processor's own that sell one product at a click."""

    buy_now_enabled: bool = defaulted(
        boolean,
        "false",
        "Serves `/create-checkout-session`, `/v1/create-session`, `/config`, their pages, and"
        " `/webhook`, `/webhooks` and `/webhook-checkout` beside `/stripe/webhooks`.",
    )
    buy_now_url: str | None = optional(
        base_url,
        "Public URL of those pages; without it, CONNECT_SERVICE_URL.",
        absent=None,
    )
    buy_now_product: str | None = optional(
        text,
        "SKU, id or key of what `/` and `/create-checkout-session` sell; without it, both answer"
        " 404.",
        absent=None,
    )
    buy_now_cookie_secret: str | None = optional(
        matching(r"\S{32,}", "must have at least 32 characters, none of them white space"),
        "Signs the cookie by which a visitor finds an open payment page again; the same for all"
        " instances, and required where buy-now is enabled.",
        absent=None,
        secret=True,
    )
    buy_now_sessions_per_minute: int = defaulted(
        integer(0, 100_000),
        "20",
        "Payment pages that one client address may ask one instance for; 0 sets no limit.",
    )


@dataclass(frozen=True, kw_only=True)
class OperationSettings:
    """How the process runs."""

    port: int = defaulted(integer(1, 65_535), "8080", "Port to listen on.")
    host: str = defaulted(
        text,
        "0.0.0.0",  # noqa: S104 - in a container
        "Address to listen on; `::` is every address of IPv6 and IPv4.",
    )
    connect_service_url: str | None = optional(
        base_url, "Public URL of the processor; commercetools Connect sets it.", absent=None
    )
    allowed_hosts: tuple[str, ...] = optional(
        separated(
            matching(
                r"[a-z0-9._-]{1,253}|\[[0-9a-f:.]+\]",
                "must be a host name in small letters without port, or an IPv6 address in brackets",
            )
        ),
        "Host names under which the processor is called, separated by commas; requests for others"
        " are answered 421, probes and metrics excepted. Without it every name is served: set it"
        " where nothing in front checks names.",
        absent=(),
    )
    failed_authentications_per_minute: int = defaulted(
        integer(0, 100_000),
        "120",
        "Wrong session ids and access tokens of one client address at one instance; above it the"
        " answer is 429 before commercetools is asked. Valid ones are not counted, and those that"
        " were valid before are not limited. BFF_TRUSTED_PROXIES determines the client address."
        " 0 sets no limit.",
    )
    allowed_backend_hosts: tuple[str, ...] = optional(
        separated(matching(r"[a-z0-9.-]{1,253}", "must be a host name in small letters")),
        "Hosts beside commercetools' and Stripe's own to which live mode may send credentials, from"
        " which shoppers may load Stripe.js, or to which traces may go by http, separated by"
        " commas: an egress proxy, for instance. Test mode does not check.",
        absent=(),
    )
    log_level: LogLevel = defaulted(
        _level,
        "info",
        "`debug`, `info`, `warning` or `error`.",
        alias="LOGGER_LEVEL",
    )
    proxy_secret: tuple[str, ...] = optional(
        separated(_RANDOM),
        "Secrets by which the proxy on commercetools Connect (`connect-proxy/`) proves its clients'"
        " addresses, separated by commas (several during an exchange). Limits then count shoppers"
        " instead of the proxy. Without one, addresses that a proxy names are ignored.",
        absent=(),
        secret=True,
    )
    metrics_token: tuple[str, ...] = optional(
        separated(_RANDOM),
        "Bearer tokens that open `GET /metrics`, separated by commas (several during an exchange)."
        " Without one nothing is counted, and the route answers 404.",
        absent=(),
        secret=True,
    )
    otel_exporter_otlp_endpoint: str | None = optional(
        base_url,
        "OpenTelemetry collector that takes traces by HTTP, such as `http://localhost:4318`; they"
        " go to `/v1/traces` there. Without it, or the next, nothing is traced. `--metrics-otlp`"
        " of reconcile and doctor sends their result to `/v1/metrics` there. The SDK reads the"
        " other OTEL_ variables, such as OTEL_EXPORTER_OTLP_HEADERS and OTEL_TRACES_SAMPLER. In"
        " live mode http is allowed only to hosts in your own network and in"
        " ALLOWED_BACKEND_HOSTS.",
        absent=None,
    )
    otel_exporter_otlp_traces_endpoint: str | None = optional(
        url, "The collector as a complete URL, where it has another path.", absent=None
    )
    health_check_timeout: int = defaulted(
        integer(1, 60_000), "5000", "Milliseconds that one check of the status may take."
    )
    request_deadline_s: int = defaulted(
        integer(1, 300), "25", "Seconds in which a request is answered, all backend calls included."
    )
    max_concurrent_requests: int = defaulted(
        integer(1, 10_000),
        "1000",
        "Requests answered at once; above it the answer is 503. Each takes some 50 kB.",
    )
    max_connections: int = defaulted(
        integer(16, 100_000),
        "2000",
        "Connections at once; above it, the one that has been slow or idle for longest is cut."
        " Needs as many files and 256 more.",
    )
    max_bytes_in_flight: int = defaulted(
        integer(2_097_152, 1_073_741_824),
        "16777216",
        "Bytes of all requests that are not answered yet, headers included; above it, the largest"
        " one that is not complete is cut. Some three times as much memory is used for them.",
    )
    request_receive_s: int = defaulted(
        integer(1, 60),
        "5",
        "Seconds from the first byte of a request, or the opening of its connection, to its last.",
    )
    keep_alive_s: int = defaulted(
        integer(1, 3_600),
        "75",
        "Seconds that a connection may be idle. More than the balancer in front waits (nginx and"
        " AWS 60, Google 600): it must close first, so that no request meets a closed connection.",
    )
    shutdown_drain_s: int = defaulted(
        integer(0, 300),
        "20",
        "Seconds for which it still takes new requests when it stops, while readiness fails; more"
        " than the balancer's checks take to notice (period by failures, such as 3 times 5 s).",
    )
    shutdown_grace_s: int = defaulted(
        integer(0, 300),
        "30",
        "Seconds that running requests then have to finish; more than REQUEST_DEADLINE_S, so that"
        " none is cut. The platform must wait for SHUTDOWN_DRAIN_S and these before it kills.",
    )
    max_body_bytes: int = defaulted(
        integer(1_024, 10_485_760), "262144", "Largest request body; webhooks have their own limit."
    )
