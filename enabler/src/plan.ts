/** What an attempt to pay is given, and how it ends. */

import type { PaymentIntent, StripeElements } from '@stripe/stripe-js';
import type { Client, StartOptions } from './client';
import type { Messages } from './messages';
import type { Amount } from './money';
import type { CaptureMethod, FutureUsage } from './responses';
import type { Setup } from './setup';
import type { ChosenMethod } from './types';

export interface Settled {
  state: 'success' | 'pending';
  paymentReference: string;
}

/** A payment that went through, and the method where it is known. */
export type Ended = Settled & { method?: ChosenMethod };

/** What a task pays with. */
export interface Attempt {
  client: Client;
  /** Have the processor record how a payment ended; repeated by the next attempt if that fails. */
  finish(intent: PaymentIntent, paymentReference: string): Promise<Settled>;
}

/** What the page of an attempt shows and loads. */
export interface Page {
  readonly locale: string;
  readonly messages: Messages;
  setup(): Promise<Setup>;
}

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
