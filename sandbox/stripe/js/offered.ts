// Not served: the compiler's proof that what the stand-in offers is what Stripe's types promise.
import type {
  Stripe,
  StripeConstructor,
  StripeElements,
  StripeEmbeddedCheckout,
  StripeExpressCheckoutElement,
  StripePaymentElement,
} from "@stripe/stripe-js";

declare const stripe: StripeStandIn;
declare const elements: ElementsGroup;
declare const options: Parameters<StripeConstructor>;

export const offered: Pick<
  Stripe,
  | "confirmPayment"
  | "createConfirmationToken"
  | "createEmbeddedCheckoutPage"
  | "createPaymentMethod"
  | "handleNextAction"
  | "retrievePaymentIntent"
> = stripe;
export const group: Pick<StripeElements, "fetchUpdates" | "on" | "submit" | "update"> = elements;
export const made: ElementsGroup = stripe.elements({ mode: "payment", amount: 1000, currency: "eur" });
export const payment: StripePaymentElement = elements.create("payment");
export const found: StripePaymentElement | null = elements.getElement("payment");
export const express: StripeExpressCheckoutElement = elements.create("expressCheckout");
export const page: Promise<StripeEmbeddedCheckout> = stripe.createEmbeddedCheckoutPage({});
export const constructed = new StripeStandIn(options[0], options[1] ?? {});
