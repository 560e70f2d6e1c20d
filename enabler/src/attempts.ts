/**
 * The payment of one enabler as a state machine, with one attempt at a time.
 *
 *     resuming ──> open <──> paying ──> paid
 *         │                  ^    │
 *         │                  │    v
 *         └────────────> unrecorded
 *
 * `resuming`    a payment that began before this page load is being picked up; it may be `paid`
 * `open`        no attempt is under way, and nothing is paid
 * `paying`      an attempt is under way; other calls of `attempt` join it
 * `unrecorded`  Stripe has taken the money, and the processor has not confirmed that it knows:
 *               the next attempt pays nothing, and has it recorded
 * `paid`        complete; no attempt follows
 */

import type { PaymentIntent } from '@stripe/stripe-js';
import type { Client, CreateClient } from './client';
import { type ConnectorError, PaymentDeclined } from './errors';
import type { Frame } from './frame';
import { forget, type Returned, recall } from './memory';
import { record, settle } from './paying';
import type { Attempt, Ended, Settled } from './plan';
import type { Report } from './report';
import type { Setup } from './setup';
import { isDone, stripeError } from './stripe-answers';
import type { ChosenMethod, EnablerOptions, OnComplete } from './types';

/** A payment for which Stripe has taken the money, or will. */
interface Taken {
  intent: PaymentIntent;
  paymentReference: string;
}

/** Work under way; `taken` from the moment that Stripe has taken the money. */
interface Working {
  readonly name: 'resuming' | 'paying';
  taken?: Taken | undefined;
}

type State =
  | Working
  | { readonly name: 'open' }
  | { readonly name: 'unrecorded'; readonly taken: Taken }
  | { readonly name: 'paid' };

export interface Task {
  frame: Frame | undefined;
  pay: (attempt: Attempt) => Promise<Ended>;
  /** The session to pay for, where it is not the enabler's. */
  session?: () => Promise<string>;
  onComplete?: OnComplete | undefined;
  /** What the shopper has chosen, for the report of a failure. */
  method?: () => ChosenMethod | undefined;
  /** Called with the error, such as to report it to the wallet. */
  onFailure?: (error: ConnectorError) => void;
}

export interface Means {
  options: EnablerOptions;
  client: CreateClient;
  setup: () => Promise<Setup>;
  report: Report;
}

export class Attempts {
  /** Why the payment from which the shopper has come back was refused; when resuming is over. */
  readonly refusal: Promise<ConnectorError | undefined>;
  readonly #means: Means;
  #state: State;
  /** The attempt that `paying` waits for. */
  #underWay = Promise.resolve();

  constructor(means: Means) {
    this.#means = means;
    const resuming: Working = { name: 'resuming' };
    this.#state = resuming;
    this.refusal = this.#resume(resuming);
  }

  /** Whether the payment is complete. Waits for one to be picked up. */
  async isPaid(): Promise<boolean> {
    await this.refusal;
    return this.#state.name === 'paid';
  }

  /** Make an attempt, or join the one under way; its end is reported to one callback, once. */
  attempt(task: Task): Promise<void> {
    const state = this.#state;
    switch (state.name) {
      case 'resuming':
        return this.refusal.then(() => this.attempt(task));
      case 'paying':
        return this.#underWay;
      case 'paid':
        return Promise.resolve();
    }
    const taken = state.name === 'unrecorded' ? state.taken : undefined;
    const paying: Working = { name: 'paying', taken };
    this.#state = paying;
    this.#underWay = Promise.resolve().then(() => this.#pay(task, paying));
    return this.#underWay;
  }

  async #pay(task: Task, state: Working): Promise<void> {
    const { frame, onComplete } = task;
    const { client, report } = this.#means;
    frame?.say('');
    frame?.show('checking');
    try {
      const processor = client(await task.session?.());
      const attempt: Attempt = {
        client: processor,
        finish: (intent, reference) => this.#finish(state, processor, intent, reference),
      };
      const { taken } = state;
      const ended = await (taken
        ? attempt.finish(taken.intent, taken.paymentReference)
        : ((await this.#pickUp(recall(true), state, processor)) ?? task.pay(attempt)));
      this.#state = { name: 'paid' };
      report.ended(ended, frame, onComplete);
    } catch (thrown) {
      frame?.show('pay');
      const error = report.present(thrown, frame);
      task.onFailure?.(error);
      report.failed(error, onComplete, task.method?.());
    } finally {
      this.#leave(state);
    }
  }

  async #resume(state: Working): Promise<ConnectorError | undefined> {
    const { options, report } = this.#means;
    const known = options.sessionId ? recall() : undefined;
    try {
      const ended = await this.#pickUp(known, state, this.#means.client());
      if (ended) {
        this.#state = { name: 'paid' };
        report.ended(ended);
      }
      return undefined;
    } catch (thrown) {
      const error = report.present(thrown);
      // After a reload the shopper expects an answer only if money was taken. Of what this tab did
      // not begin, only a decline is this cart's.
      const concerns = known?.ours ? known.redirected || state.taken : error.status === 402;
      if (!concerns) return undefined;
      report.failed(error);
      return error;
    } finally {
      this.#leave(state);
    }
  }

  /** How a payment that began earlier ended; undefined where it has not. */
  async #pickUp(
    known: Returned | undefined,
    state: Working,
    client: Client,
  ): Promise<Settled | undefined> {
    if (!known) return undefined;
    const { clientSecret, paymentReference } = known;
    if (!known.ours) {
      return record(client, clientSecret.split('_secret')[0] as string, paymentReference);
    }
    const { stripe } = await this.#means.setup();
    const { paymentIntent, error } = await stripe.retrievePaymentIntent(clientSecret);
    if (error) throw stripeError(error, 'unknown');
    if (known.redirected || isDone(paymentIntent)) {
      return this.#finish(state, client, paymentIntent, paymentReference);
    }
    forget();
    return undefined;
  }

  async #finish(
    state: Working,
    client: Client,
    intent: PaymentIntent,
    paymentReference: string,
  ): Promise<Settled> {
    if (isDone(intent)) state.taken = { intent, paymentReference };
    try {
      return await settle(client, intent, paymentReference, this.#means.options.onActionRequired);
    } catch (error) {
      if (error instanceof PaymentDeclined) state.taken = undefined;
      else if (state.taken) (error as ConnectorError).doubt = 'taken';
      throw error;
    }
  }

  /** From work that is over to what it leaves, unless that is `paid` already. */
  #leave(state: Working): void {
    if (this.#state !== state) return;
    const { taken } = state;
    this.#state = taken ? { name: 'unrecorded', taken } : { name: 'open' };
  }
}
