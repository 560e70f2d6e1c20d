/** Language tags: those of the shop, and those that Stripe's elements speak. */

import type { StripeElementLocale } from '@stripe/stripe-js';

const KNOWN = (
  'ar bg cs da de el en en-AU en-CA en-NZ en-GB es es-ES es-419 et fi fil fr fr-CA fr-FR he hu ' +
  'hr id it it-IT ja ko lt lv ms mt nb nl no pl pt pt-BR ro ru sk sl sv th tr vi zh zh-HK zh-TW'
).split(' ') as StripeElementLocale[];

/** Stripe's locale for a tag such as `de_AT`: itself, else its language, else `auto`. */
export function stripeLocale(locale: string | undefined): StripeElementLocale {
  const tag = canonical(locale);
  const candidates = [tag, tag?.split('-')[0]] as StripeElementLocale[];
  return candidates.find((each) => KNOWN.includes(each)) ?? 'auto';
}

/** A tag that `Intl` accepts: the wanted one, else the browser's. */
export function languageTag(locale: string | undefined): string {
  return canonical(locale) ?? canonical(navigator.language) ?? 'en';
}

function canonical(locale = ''): string | undefined {
  try {
    return Intl.getCanonicalLocales(locale.trim().replace(/_/g, '-'))[0];
  } catch {
    return undefined; // nothing, or no tag at all
  }
}
