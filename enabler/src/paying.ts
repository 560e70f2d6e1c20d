/** Paying and recording, whose file is loaded when something to pay with is shown. */

import type { PaymentIntent } from '@stripe/stripe-js';
import type { Client } from './client';
import { loaded } from './loaded';
import { payKit } from './pay-kit';
import type { Attempt, Ended, Page, Plan, Settled } from './plan';

/** Ends when an attempt would not have to wait for its file. */
export const loadPay = () => loaded(import('./pay'));

/** Throws where the payment did not go through; the attempt stays remembered if that is unknown. */
export async function pay(page: Page, attempt: Attempt, plan: Plan): Promise<Ended> {
  return (await loadPay()).pay(payKit, page, attempt, plan);
}

/** The end of an attempt, recorded by the processor; see `settle.ts`. */
export async function settle(
  client: Client,
  intent: PaymentIntent,
  paymentReference: string,
  onActionRequired?: () => Promise<void>,
): Promise<Settled> {
  return (await loadPay()).settle(payKit, client, intent, paymentReference, onActionRequired);
}

/** The processor's outcome for an intent; see `settle.ts`. */
export async function record(
  client: Client,
  intentId: string,
  paymentReference: string,
): Promise<Settled> {
  return (await loadPay()).record(payKit, client, intentId, paymentReference);
}
