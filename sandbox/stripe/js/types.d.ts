// Stripe's types by the names that the scripts use: scripts cannot import.
type Appearance = import("@stripe/stripe-js").Appearance;
type ChangeResolveDetails = import("@stripe/stripe-js").ChangeResolveDetails;
type ClickResolveDetails = import("@stripe/stripe-js").ClickResolveDetails;
type ConfirmPaymentData = import("@stripe/stripe-js").ConfirmPaymentData;
type ConfirmationTokenCreateParams = import("@stripe/stripe-js").ConfirmationTokenCreateParams;
type ConfirmationTokenResult = import("@stripe/stripe-js").ConfirmationTokenResult;
type LineItem = import("@stripe/stripe-js").LineItem;
type PaymentIntent = import("@stripe/stripe-js").PaymentIntent;
type PaymentIntentOrSetupIntentResult = import("@stripe/stripe-js").PaymentIntentOrSetupIntentResult;
type PaymentIntentResult = import("@stripe/stripe-js").PaymentIntentResult;
type PaymentMethodResult = import("@stripe/stripe-js").PaymentMethodResult;
type ShippingRate = import("@stripe/stripe-js").ShippingRate;
type StripeConstructorOptions = import("@stripe/stripe-js").StripeConstructorOptions;
type StripeElementsOptionsClientSecret = import("@stripe/stripe-js").StripeElementsOptionsClientSecret;
type StripeElementsOptionsMode = import("@stripe/stripe-js").StripeElementsOptionsMode;
type StripeElementsUpdateOptions = import("@stripe/stripe-js").StripeElementsUpdateOptions;
type StripeEmbeddedCheckoutOptions = import("@stripe/stripe-js").StripeEmbeddedCheckoutOptions;
type StripeError = import("@stripe/stripe-js").StripeError;
type StripeExpressCheckoutElementOptions = import("@stripe/stripe-js").StripeExpressCheckoutElementOptions;
type StripePaymentElementOptions = import("@stripe/stripe-js").StripePaymentElementOptions;
/** Written before the scripts of the payment form by the stand-in: `sandbox/shown_cards.py`. */
declare const TEST_CARDS: [number: string, outcome: MessageName][];
