/** Reads how a payment ended at Stripe, and has the processor record it. */

import type { PaymentIntent, StripeError } from '@stripe/stripe-js';
import type { Client } from './client';
import {
  type ConnectorError,
  IncompleteError,
  KEY_HINT,
  NetworkError,
  PaymentDeclined,
  PaymentUnfinished,
  ProcessorError,
  StripeJsError,
} from './errors';
import { forget } from './memory';

export interface Settled {
  state: 'success' | 'pending';
  paymentReference: string;
}

const DONE: readonly PaymentIntent.Status[] = ['succeeded', 'requires_capture', 'processing'];

/** How the actions begin that the shopper takes in the page; any other may take days. */
const IN_PAGE = /^(use|red|blik|ali|cash|klarna|pay|prom|swish|upi|we)/;

/** Whether the shopper has done all there is to do in the page. */
export function isDone({ status, next_action }: PaymentIntent): boolean {
  return DONE.includes(status) || (!!next_action && !IN_PAGE.test(next_action.type));
}

/**
 * The end of an attempt, recorded by the processor where Stripe has taken or is taking the money.
 *
 * Throws PaymentDeclined and PaymentUnfinished where it has not; anything else that is thrown
 * leaves the end unknown, and the attempt remembered.
 */
export async function settle(
  client: Client,
  intent: PaymentIntent,
  paymentReference: string,
  onActionRequired?: () => Promise<void>,
): Promise<Settled> {
  const details = { paymentReference, correlationId: client.correlationId };
  if (intent.next_action) await onActionRequired?.();
  if (isDone(intent)) return record(client, intent.id, paymentReference);
  forget();
  const error = intent.last_payment_error;
  if (intent.next_action || (!error && intent.status !== 'canceled')) {
    throw new PaymentUnfinished('Not completed.', { ...details, code: 'unfinished' });
  }
  throw new PaymentDeclined(error?.message ?? intent.status, {
    ...details,
    code: error?.code ?? intent.status,
    declineCode: error?.decline_code,
    reason: error?.message,
  });
}

/** The processor's outcome for an intent: it alone knows whether the intent pays for this cart. */
export async function record(
  client: Client,
  intentId: string,
  paymentReference: string,
): Promise<Settled> {
  try {
    const { outcome } = await client.confirmPayment(paymentReference, intentId);
    forget();
    return { state: outcome === 'approved' ? 'success' : 'pending', paymentReference };
  } catch (error) {
    if (error instanceof PaymentDeclined) forget();
    if (!(error instanceof ProcessorError) || ![400, 409].includes(error.status ?? 0)) throw error;
    // Final: the payment is of another cart or amount, or went back.
    forget();
    throw new PaymentDeclined(error.message, {
      ...error,
      doubt: 'refused',
      cause: error,
      paymentReference,
    });
  }
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
