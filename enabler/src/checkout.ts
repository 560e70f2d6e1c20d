/** What the components of one enabler share, put together. */

import { Attempts, type Task } from './attempts';
import { type Client, createClient } from './client';
import { type ConnectorError, ProcessorError, UsageError } from './errors';
import type { Frame } from './frame';
import { canonical, languageTag } from './locale';
import { type Messages, messagesFor } from './messages';
import { createReport } from './report';
import { createSetup, type Setup } from './setup';
import type { EnablerOptions } from './types';

export interface Checkout {
  readonly options: EnablerOptions;
  readonly locale: string;
  readonly messages: Messages;
  /** The consent given with `setStorePaymentDetails`. */
  storePaymentDetails: boolean;
  setup(): Promise<Setup>;
  /** A client for another session than the enabler's. */
  client(sessionId?: string): Client;
  /** Whether a payment is complete, so that none may follow. Waits for one to be picked up. */
  isPaid(): Promise<boolean>;
  /** Whether the session may be paid with a component now. */
  offers(component: string): Promise<boolean>;
  /** Why the payment from which the shopper has just come back was refused. */
  refusal(): Promise<ConnectorError | undefined>;
  /** Make an attempt, or join the one under way; its end is reported to one callback, once. */
  attempt(task: Task): Promise<void>;
  /** Something thrown as an error of ours, said to the shopper. */
  present(thrown: unknown, frame?: Frame): ConnectorError;
  /** Report an error outside an attempt to `onError`. */
  fail(thrown: unknown, frame?: Frame): void;
}

const REFUSED = [400, 409];

/** Begins to load, and picks up a payment that began before this page load. */
export function createCheckout(options: EnablerOptions): Checkout {
  const locale = languageTag(options.locale);
  if (options.locale && !canonical(options.locale)) {
    const hint = 'Pass a language tag such as de-AT. The texts are in the language of the browser.';
    console.warn(new UsageError(`No locale ${options.locale}.`, { code: 'locale', hint }));
  }
  const messages = messagesFor(locale);
  const client = (sessionId = options.sessionId) => createClient(options.processorUrl, sessionId);
  const setup = createSetup(options, client, messages);
  const report = createReport(options, messages);
  // Ahead of the first builder, which reports a failure.
  setup().catch(() => undefined);
  const attempts = new Attempts({ options, client, setup, report });
  return {
    options,
    locale,
    messages,
    storePaymentDetails: false,
    setup,
    client,
    isPaid: () => attempts.isPaid(),
    async offers(component) {
      if (await attempts.isPaid()) return false;
      try {
        await client().elementConfig(component);
        return true;
      } catch (error) {
        // Nothing is due, or no method is left.
        if (error instanceof ProcessorError && REFUSED.includes(error.status ?? 0)) return false;
        throw report.present(error);
      }
    },
    refusal: () => attempts.refusal,
    attempt: (task) => attempts.attempt(task),
    present: report.present,
    fail: (thrown, frame) => report.failed(report.present(thrown, frame)),
  };
}

/** The session that everything but express needs. */
export function requireSession({ sessionId }: EnablerOptions): string {
  if (sessionId) return sessionId;
  const hint = 'Pass sessionId: your server creates the session with commercetools.';
  throw new UsageError('No sessionId.', { code: 'session_required', hint });
}
