/** One attempt to pay: start, compare with what was shown, confirm at Stripe, record. */

import type { PaymentIntent, StripeElements } from '@stripe/stripe-js';
import type { Attempt } from './attempts';
import type { Checkout } from './checkout';
import type { StartOptions } from './client';
import { AmountChanged, asConnectorError, ProcessorError, StripeJsError } from './errors';
import { remember, returnUrl } from './memory';
import { type Amount, format } from './money';
import type { Ended } from './report';
import { billingDetails, type CaptureMethod, type FutureUsage, type Started } from './responses';
import { afterError, isDone, stripeError } from './settle';
import type { ChosenMethod } from './types';

export interface Terms {
  captureMethod: CaptureMethod;
  setupFutureUsage: FutureUsage | null;
}

export interface Plan {
  start: StartOptions;
  method: ChosenMethod;
  /** What the shopper has seen. */
  shown: Amount;
  /** The payment costs something else now. */
  changed(amount: Amount): void;
  /** Without it the intent has its method already. */
  elements?: StripeElements;
  /** What elements believe of the intent; Stripe refuses to confirm where they are wrong. */
  terms?: Terms;
  /** Of the intent that elements were made for, and what to do where there is another. */
  clientSecret?: string | undefined;
  replaced?(clientSecret: string): Promise<void>;
}

/** Throws where the payment did not go through; the attempt stays remembered if that is unknown. */
export async function pay(checkout: Checkout, attempt: Attempt, plan: Plan): Promise<Ended> {
  const { method, elements } = plan;
  const { client } = attempt;
  const { stripe } = await checkout.setup();
  let started: Started;
  try {
    started = await client.startPayment(plan.start);
  } catch (error) {
    if (error instanceof ProcessorError && error.code === 'PaymentProcessing') {
      const { paymentReference } = error;
      if (paymentReference) return { state: 'pending', paymentReference, method };
    }
    throw error;
  }
  const { clientSecret, paymentReference } = started;
  try {
    const intent = await confirm();
    return { ...(await attempt.finish(intent, paymentReference)), method };
  } catch (error) {
    throw asConnectorError(error).about(paymentReference, client.correlationId);
  }

  async function confirm(): Promise<PaymentIntent> {
    const found = await stripe.retrievePaymentIntent(clientSecret);
    if (found.error) throw stripeError(found.error);
    // Another tab was faster.
    if (isDone(found.paymentIntent)) return found.paymentIntent;
    await compare(checkout, plan, found.paymentIntent, clientSecret);
    remember(started);
    const billing = started.billingAddress;
    const confirmed = await stripe
      .confirmPayment({
        ...(elements && { elements }),
        clientSecret,
        confirmParams: {
          return_url: returnUrl(
            started.merchantReturnUrl,
            paymentReference,
            started.returnUrlCartId === false ? undefined : started.cartId,
          ),
          ...(elements &&
            billing && { payment_method_data: { billing_details: billingDetails(billing) } }),
        },
        redirect: 'if_required',
      })
      .catch((cause: unknown) => {
        const { message } = asConnectorError(cause);
        const hint = 'Stripe.js refused how it is used: is the element still in the page?';
        throw new StripeJsError(message, { code: 'integration', cause, hint });
      });
    return confirmed.paymentIntent ?? afterError(stripe, confirmed.error, clientSecret);
  }
}

/** Throws AmountChanged where the shopper has seen something else, and shows what it costs now. */
async function compare(
  { messages, locale }: Checkout,
  plan: Plan,
  intent: PaymentIntent,
  clientSecret: string,
): Promise<void> {
  const { elements, terms, shown } = plan;
  const { amount, currency } = intent;
  const update = (changes: Partial<Amount & Terms>) =>
    plan.clientSecret ? elements?.fetchUpdates() : elements?.update(changes);
  const replaced = plan.clientSecret && plan.clientSecret !== clientSecret;
  if (replaced || amount !== shown.amount || currency !== shown.currency) {
    await (replaced ? plan.replaced?.(clientSecret) : update({ amount, currency }));
    plan.changed({ amount, currency });
    throw new AmountChanged('Amount changed.', {
      code: 'amount_changed',
      shopperMessage: messages('amountChanged', format(intent, locale)),
    });
  }
  const actual = {
    captureMethod: intent.capture_method,
    setupFutureUsage: intent.setup_future_usage,
  };
  if (!elements || !terms || JSON.stringify({ ...terms, ...actual }) === JSON.stringify(terms)) {
    return;
  }
  Object.assign(terms, actual);
  await update(actual);
  await validate(elements);
}

/** Have elements collect what the shopper has entered; throws where that is incomplete. */
export async function validate(elements: StripeElements): Promise<void> {
  const { error } = await elements.submit();
  if (error) throw stripeError(error);
}
