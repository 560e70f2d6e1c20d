/** What the components of one enabler share: set-up, one attempt at a time, telling the page. */

import type { PaymentIntent, Stripe } from '@stripe/stripe-js';
import { type Client, createClient, newCorrelationId } from './client';
import {
  asConnectorError,
  type ConnectorError,
  IncompleteError,
  PaymentCanceled,
  PaymentDeclined,
  PaymentUnfinished,
  UsageError,
} from './errors';
import type { Frame } from './frame';
import { languageTag, stripeLocale } from './locale';
import { forget, recall } from './memory';
import { type Messages, messagesFor } from './messages';
import type { Config } from './responses';
import { isDone, record, type Settled, settle, stripeError } from './settle';
import { loadStripe } from './stripe';
import type { ChosenMethod, EnablerOptions, OnComplete } from './types';

export interface Setup {
  config: Config;
  stripe: Stripe;
}

/** An end that the page is told, and the method where it is known. */
export type Ended = Settled & { method?: ChosenMethod };

export interface Checkout {
  readonly options: EnablerOptions;
  readonly locale: string;
  readonly messages: Messages;
  /** The consent given with `setStorePaymentDetails`. */
  storePaymentDetails: boolean;
  /** Configuration and Stripe.js, read once; again after a failure. */
  setup(): Promise<Setup>;
  /** A client for another session than the enabler's, or another attempt. */
  client(sessionId?: string, correlationId?: string): Client;
  /** Whether a payment is complete, so that none may follow. Waits for one to be picked up. */
  isPaid(): Promise<boolean>;
  /** Why the payment from which the shopper has just come back was refused. */
  refusal(): ConnectorError | undefined;
  /** Record the end of a payment; tried again by the next attempt where that fails. */
  finish(client: Client, intent: PaymentIntent, paymentReference: string): Promise<Settled>;
  /** Make an attempt, or join the one under way; its end is told to one callback, once. */
  attempt(task: Task): Promise<void>;
  /** Something thrown as an error of ours, said to the shopper. */
  present(thrown: unknown, frame?: Frame): ConnectorError;
  /** Tell `onError` of something outside an attempt. */
  fail(thrown: unknown, frame?: Frame): void;
}

export interface Task {
  frame: Frame | undefined;
  pay: (client: Client) => Promise<Ended>;
  /** The session to pay for, where it is not the enabler's. */
  session?: () => Promise<string>;
  onComplete?: OnComplete | undefined;
  /** Called with what was thrown, such as to tell the wallet. */
  onFailure?: (error: ConnectorError) => void;
}

export function createCheckout(options: EnablerOptions): Checkout {
  const locale = languageTag(options.locale);
  const messages = messagesFor(locale);
  let pendingSetup: Promise<Setup> | undefined;
  let running: Promise<void> | undefined;
  let paid = false;
  let refusal: ConnectorError | undefined;
  /** Paid at Stripe, and the processor has not said yet that it knows. */
  let unrecorded: { intent: PaymentIntent; paymentReference: string } | undefined;

  const client = (sessionId = options.sessionId, correlationId = newCorrelationId()) =>
    createClient(options.processorUrl, sessionId, correlationId);

  async function prepare(): Promise<Setup> {
    const processor = client();
    const config = await (options.sessionId ? processor.config() : processor.expressConfig());
    const wanted = stripeLocale(options.locale);
    return { config, stripe: await loadStripe(config.publishableKey, wanted, config.stripeJsUrl) };
  }

  function setup(): Promise<Setup> {
    pendingSetup ??= prepare().catch((error: unknown) => {
      pendingSetup = undefined;
      throw asConnectorError(error).localise(messages);
    });
    return pendingSetup;
  }

  function present(thrown: unknown, frame?: Frame): ConnectorError {
    const error = asConnectorError(thrown).localise(messages);
    // Stripe marks what is missing where it is missing, and a closed wallet needs no answer.
    const quiet = error instanceof IncompleteError || error instanceof PaymentCanceled;
    frame?.say(error.shopperMessage, !quiet);
    return error;
  }

  function end({ state, paymentReference, method }: Ended, frame?: Frame, to?: OnComplete): void {
    paid = true;
    if (state === 'pending') frame?.say(messages('pending'));
    const result = { isSuccess: true, state, paymentReference, ...(method && { method }) } as const;
    tell(() => (to ?? options.onComplete)?.(result));
  }

  function tellOf(error: ConnectorError, to?: OnComplete): void {
    const reference = error.paymentReference ? { paymentReference: error.paymentReference } : {};
    if (error instanceof PaymentDeclined || error instanceof PaymentUnfinished) {
      const result = { isSuccess: false, state: 'failure', error, ...reference } as const;
      tell(() => (to ?? options.onComplete)?.(result));
    } else {
      tell(() => options.onError?.(error, reference));
    }
  }

  async function finish(
    processor: Client,
    intent: PaymentIntent,
    paymentReference: string,
  ): Promise<Settled> {
    if (isDone(intent)) unrecorded = { intent, paymentReference };
    try {
      const settled = await settle(processor, intent, paymentReference, options.onActionRequired);
      unrecorded = undefined;
      return settled;
    } catch (error) {
      if (error instanceof PaymentDeclined) unrecorded = undefined;
      throw error;
    }
  }

  async function once({ frame, pay, session, onComplete, onFailure }: Task): Promise<void> {
    frame?.say('');
    frame?.busy(true);
    try {
      const processor = client(await session?.());
      const ended = await (unrecorded
        ? finish(processor, unrecorded.intent, unrecorded.paymentReference)
        : pay(processor));
      end(ended, frame, onComplete);
    } catch (thrown) {
      const error = present(thrown, frame);
      onFailure?.(error);
      tellOf(error, onComplete);
    } finally {
      frame?.busy(false);
    }
  }

  /** One after the other has ended; whoever comes meanwhile joins. */
  function attempt(task: Task): Promise<void> {
    running ??= resumed
      .then(() => (paid ? undefined : once(task)))
      .finally(() => {
        running = undefined;
      });
    return running;
  }

  async function resume(): Promise<void> {
    const known = options.sessionId ? recall() : undefined;
    if (!known) return;
    const { paymentReference, clientSecret, ours } = known;
    try {
      if (!ours) {
        const intentId = clientSecret.split('_secret')[0] as string;
        return end(await record(client(), intentId, paymentReference));
      }
      const { stripe } = await setup();
      const { paymentIntent, error } = await stripe.retrievePaymentIntent(clientSecret);
      if (error) throw stripeError(error);
      if (known.redirected || isDone(paymentIntent)) {
        end(await finish(client(), paymentIntent, paymentReference));
      } else {
        forget();
      }
    } catch (thrown) {
      const error = present(thrown);
      // After a mere reload nobody waits for an answer, unless money was taken. Of what this tab
      // did not begin only a decline is this cart's.
      if (ours ? !known.redirected && !unrecorded : error.status !== 402) return;
      refusal = error;
      tellOf(error);
    }
  }

  // Ahead of the first builder, which learns of what goes wrong.
  setup().catch(() => undefined);
  const resumed = resume();

  return {
    options,
    locale,
    messages,
    storePaymentDetails: false,
    setup,
    client,
    isPaid: async () => {
      await resumed;
      return paid;
    },
    refusal: () => refusal,
    finish,
    attempt,
    present,
    fail: (thrown, frame) => tellOf(present(thrown, frame)),
  };
}

/** The session that everything but express needs. */
export function requireSession({ sessionId }: EnablerOptions): string {
  if (!sessionId) throw new UsageError('No sessionId.', { code: 'session_required' });
  return sessionId;
}

/** A callback of the page may throw; that is the page's error, not the payment's. */
function tell(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    reportError(error);
  }
}
