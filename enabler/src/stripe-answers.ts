/** What Stripe.js answers: whether a payment is done, and its errors as ours. */

import type { PaymentIntent, StripeError } from '@stripe/stripe-js';
import {
  type ConnectorError,
  IncompleteError,
  KEY_HINT,
  NetworkError,
  PaymentDeclined,
  StripeJsError,
} from './errors';

const DONE: readonly PaymentIntent.Status[] = ['succeeded', 'requires_capture', 'processing'];

/** How the actions begin that the shopper takes in the page; any other may take days. */
const IN_PAGE = /^(use|red|blik|ali|cash|klarna|pay|prom|swish|upi|we)/;

/** Whether the shopper has done all there is to do in the page. */
export function isDone({ status, next_action }: PaymentIntent): boolean {
  return DONE.includes(status) || (!!next_action && !IN_PAGE.test(next_action.type));
}

/** An error of Stripe.js as one of ours. */
export function stripeError(error: StripeError, doubt?: 'unknown'): ConnectorError {
  const message = error.message ?? error.type;
  const details = {
    doubt,
    code: error.code ?? error.type,
    cause: error,
    declineCode: error.decline_code,
  };
  if (error.type === 'validation_error') {
    return new IncompleteError(message, { ...details, shopperMessage: message });
  }
  if (error.type === 'card_error' || error.payment_intent?.status === 'requires_payment_method') {
    return new PaymentDeclined(message, { ...details, reason: error.message });
  }
  if (error.type === 'api_connection_error') return new NetworkError(message, details);
  // Stripe.js tells of a wrong key in words alone; with another account's it does not find the intent.
  const wrongKey = error.code === 'resource_missing' || /api key/i.test(message);
  return new StripeJsError(message, { ...details, hint: wrongKey ? KEY_HINT : undefined });
}
