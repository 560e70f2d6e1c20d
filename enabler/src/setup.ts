/** Configuration and Stripe.js: read once, and again after a failure. */

import type { Stripe } from '@stripe/stripe-js';
import type { CreateClient } from './client';
import { asConnectorError } from './errors';
import { stripeLocale } from './locale';
import type { Messages } from './messages';
import type { Config } from './responses';
import { loadStripe } from './stripe';
import type { EnablerOptions } from './types';

export interface Setup {
  config: Config;
  stripe: Stripe;
}

export function createSetup(
  { sessionId, locale }: EnablerOptions,
  client: CreateClient,
  messages: Messages,
): () => Promise<Setup> {
  let pending: Promise<Setup> | undefined;

  async function load(): Promise<Setup> {
    const processor = client();
    const config = await (sessionId ? processor.config() : processor.expressConfig());
    const { publishableKey, stripeJsUrl } = config;
    return { config, stripe: await loadStripe(publishableKey, stripeLocale(locale), stripeJsUrl) };
  }

  return () => {
    pending ??= load().catch((error: unknown) => {
      pending = undefined;
      throw asConnectorError(error).localise(messages);
    });
    return pending;
  };
}
