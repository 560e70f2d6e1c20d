/** Loads Stripe.js from the address that the processor names. */

import type { Stripe, StripeConstructor, StripeElementLocale } from '@stripe/stripe-js';
import { asConnectorError, KEY_HINT, NetworkError, StripeJsError } from './errors';

declare global {
  interface Window {
    Stripe?: StripeConstructor;
  }
}

/** The release that the pinned @stripe/stripe-js describes. */
export const STRIPE_JS_URL = 'https://js.stripe.com/endive/stripe.js';

/**
 * Stripe for a publishable key; throws NetworkError, after which it may be called again, or
 * StripeJsError where Stripe.js takes no such key.
 */
export async function loadStripe(
  publishableKey: string,
  locale: StripeElementLocale,
  url = STRIPE_JS_URL,
): Promise<Stripe> {
  if (!window.Stripe) await loadScript(url);
  if (!window.Stripe) throw notLoaded(url);
  try {
    return window.Stripe(publishableKey, { locale });
  } catch (cause) {
    const { message } = asConnectorError(cause);
    throw new StripeJsError(message, { code: 'integration', cause, hint: KEY_HINT });
  }
}

/** Joins a script that the page or another enabler is loading already. */
function loadScript(url: string): Promise<void> {
  const known = Array.from(document.scripts).find(
    (each) =>
      each.getAttribute('src') === url &&
      // When the page is complete, its own scripts have loaded or failed: no event follows.
      (each.dataset['loading'] || document.readyState !== 'complete'),
  );
  const script = known ?? document.createElement('script');
  return new Promise((resolve, reject) => {
    script.addEventListener('load', () => {
      delete script.dataset['loading'];
      resolve();
    });
    // Scripts of the page may have failed before; all have loaded or failed by then.
    window.addEventListener('load', () => resolve());
    script.addEventListener('error', () => {
      // What failed must not be joined by the next call.
      script.remove();
      reject(notLoaded(url));
    });
    if (known) return;
    script.src = url;
    script.dataset['loading'] = 'true';
    document.head.append(script);
  });
}

function notLoaded(url: string): NetworkError {
  const hint = `Does a Content-Security-Policy or a blocker keep the page from loading ${url}?`;
  return new NetworkError('Stripe.js not loaded.', { code: 'stripe_js', hint });
}
