/** Loads Stripe.js from the address that the processor names. */

import type { Stripe, StripeConstructor, StripeElementLocale } from '@stripe/stripe-js';
import { NetworkError } from './errors';

declare global {
  interface Window {
    Stripe?: StripeConstructor;
  }
}

/** The release that the pinned @stripe/stripe-js describes. */
export const STRIPE_JS_URL = 'https://js.stripe.com/endive/stripe.js';

/** Stripe for a publishable key; raises NetworkError, after which it may be called again. */
export async function loadStripe(
  publishableKey: string,
  locale: StripeElementLocale,
  url = STRIPE_JS_URL,
): Promise<Stripe> {
  if (!window.Stripe) await loadScript(url);
  if (!window.Stripe) throw notLoaded();
  return window.Stripe(publishableKey, { locale });
}

/** Joins a script that the page or another enabler is loading already. */
function loadScript(url: string): Promise<void> {
  const known = Array.from(document.scripts).find((each) => each.getAttribute('src') === url);
  const script = known ?? document.createElement('script');
  return new Promise((resolve, reject) => {
    script.addEventListener('load', () => resolve());
    script.addEventListener('error', () => {
      // What failed must not be joined by the next call.
      script.remove();
      reject(notLoaded());
    });
    if (known) return;
    script.src = url;
    document.head.append(script);
  });
}

function notLoaded(): NetworkError {
  return new NetworkError('Stripe.js not loaded.', { code: 'stripe_js' });
}
