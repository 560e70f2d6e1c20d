/**
 * One attempt to pay: start, compare with what was shown, confirm at Stripe, record.
 *
 * A file of its own in the es build, which is loaded beside Stripe's element: nothing that is shown
 * first needs it. See `pay-kit.ts`.
 */

import type { PaymentIntent, Stripe, StripeError } from '@stripe/stripe-js';
import type { Fields } from './decode';
import type { Amount } from './money';
import type { PayKit } from './pay-kit';
import type { Attempt, Ended, Page, Plan, Terms } from './plan';
import type { Started } from './responses';

export { record, settle } from './settle';

/** Throws where the payment did not go through; the attempt stays remembered if that is unknown. */
export async function pay(kit: PayKit, page: Page, attempt: Attempt, plan: Plan): Promise<Ended> {
  const { ProcessorError, StripeJsError, asConnectorError, isDone, remember, stripeError } = kit;
  const { method, elements } = plan;
  const { client } = attempt;
  const { stripe } = await page.setup();
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
    await compare(kit, page, plan, found.paymentIntent, clientSecret);
    remember(started);
    const billing = started.billingAddress;
    const confirmed = await stripe
      .confirmPayment({
        ...(elements && { elements }),
        clientSecret,
        confirmParams: {
          return_url: returnUrl(
            kit.RETURN_PARAMETERS,
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
    return confirmed.paymentIntent ?? afterError(kit, stripe, confirmed.error, clientSecret);
  }
}

/** Throws AmountChanged where the shopper has seen something else, and shows what it costs now. */
async function compare(
  { AmountChanged, format, validate }: PayKit,
  { messages, locale }: Page,
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

/** The intent that an error of `confirmPayment` hides where it is paid all the same. */
async function afterError(
  { isDone, stripeError }: PayKit,
  stripe: Stripe,
  error: StripeError,
  clientSecret: string,
): Promise<PaymentIntent> {
  if (error.payment_intent && isDone(error.payment_intent)) return error.payment_intent;
  if (error.type.startsWith('api_')) {
    // The answer was lost; what it said was not.
    const { paymentIntent } = await stripe.retrievePaymentIntent(clientSecret);
    if (paymentIntent && isDone(paymentIntent)) return paymentIntent;
    throw stripeError(error, 'unknown');
  }
  throw stripeError(error);
}

/**
 * Where Stripe sends the shopper back to: the merchant's page, with what `recall` needs.
 *
 * The cart is named only where the processor asks for it: addresses end up in logs and referrers.
 */
function returnUrl(
  parameters: readonly string[],
  base: string | undefined,
  paymentReference: string,
  cartId: string | undefined,
): string {
  const url = new URL(base ?? location.href, location.href);
  for (const name of parameters) url.searchParams.delete(name);
  if (cartId) url.searchParams.set('cartId', cartId);
  url.searchParams.set('paymentReference', paymentReference);
  return url.href;
}

/**
 * What the shop knows of the shopper, for Stripe: unknown texts left out, save in the address, of
 * which Stripe wants every field where its element collects none.
 */
function billingDetails(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value));
}
