/**
 * Reads how a payment ended at Stripe, and has the processor record it.
 *
 * In the file of `pay.ts`, which is loaded later.
 */

import type { PaymentIntent } from '@stripe/stripe-js';
import type { Client } from './client';
import type { PayKit } from './pay-kit';
import type { Settled } from './plan';

/**
 * The end of an attempt, recorded by the processor where Stripe has taken or is taking the money.
 *
 * Throws PaymentDeclined and PaymentUnfinished where it has not; anything else that is thrown
 * leaves the end unknown, and the attempt remembered.
 */
export async function settle(
  kit: PayKit,
  client: Client,
  intent: PaymentIntent,
  paymentReference: string,
  onActionRequired?: () => Promise<void>,
): Promise<Settled> {
  const { PaymentDeclined, PaymentUnfinished, forget, isDone } = kit;
  const details = { paymentReference, correlationId: client.correlationId };
  if (intent.next_action) await onActionRequired?.();
  if (isDone(intent)) return record(kit, client, intent.id, paymentReference);
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
  { PaymentDeclined, ProcessorError, forget }: PayKit,
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
