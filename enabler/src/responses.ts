/** What the processor answers, checked field by field. */

import { type Decoded, flag, integer, json, list, object, oneOf, optional, text } from './decode';

const captureMethod = oneOf('automatic', 'automatic_async', 'manual');
const futureUsage = oneOf('on_session', 'off_session');

export type CaptureMethod = Decoded<typeof captureMethod>;
export type FutureUsage = Decoded<typeof futureUsage>;

/** GET /operations/config and POST /express-config. */
export const config = object({
  publishableKey: text,
  stripeJsUrl: optional(text),
  captureMethod,
  appearance: optional(json),
  expressElementOptions: optional(json),
  storedPaymentMethodsConfig: object({ isEnabled: flag }),
});

export type Config = Decoded<typeof config>;

/** GET /config-element: the element for one cart, the amount in Stripe's minor units. */
export const elementConfig = object({
  cartInfo: object({ amount: integer, currency: text }),
  captureMethod,
  setupFutureUsage: optional(futureUsage),
  flowType: oneOf('deferred', 'pi_first'),
  collectBillingAddress: oneOf('auto', 'never', 'if_required'),
  appearance: optional(json),
  /** Options of the elements that say what may pay, where anything restricts that. */
  methods: optional(json),
  layout: json,
  paymentElementOptions: json,
});

export type ElementConfig = Decoded<typeof elementConfig>;

/** GET /customer/session: `sessionId` is the client secret of Stripe's customer session. */
export const customerSession = object({ sessionId: text });

/** POST /payments: the cart's one open payment; its reference is the commercetools Payment's id. */
export const started = object({
  clientSecret: text,
  paymentReference: text,
  merchantReturnUrl: optional(text),
  cartId: text,
  returnUrlCartId: optional(flag),
  billingAddress: optional(json),
});

export type Started = Decoded<typeof started>;

/** POST /confirmPayments. */
export const confirmation = object({ outcome: oneOf('approved', 'pending') });

export const money = object({ centAmount: integer, currencyCode: text, fractionDigits: integer });

/** GET /express-payment-data: what the wallet's sheet shows. */
export const expressData = object({
  totalPrice: money,
  lineItems: list(object({ name: text, amount: money })),
});

/** GET /stored-payment-methods; a token that comes along is left out. */
export const storedPaymentMethods = object({
  storedPaymentMethods: list(
    object({
      id: text,
      type: text,
      isDefault: flag,
      createdAt: text,
      displayOptions: object({
        logoUrl: optional(text),
        endDigits: optional(text),
        brand: optional(object({ key: text })),
        expiryMonth: optional(integer),
        expiryYear: optional(integer),
      }),
    }),
  ),
});

/** An error in commercetools' shape. */
export const refusal = object({
  message: text,
  errors: list(
    object({
      code: optional(text),
      declineCode: optional(text),
      paymentReference: optional(text),
    }),
  ),
});
