/** Language tags: those of the shop, and those that Stripe's elements speak. */

import type { StripeElementLocale } from '@stripe/stripe-js';

const KNOWN = (
  'ar bg cs da de el en en-AU en-CA en-NZ en-GB es es-ES es-419 et fi fil fr fr-CA fr-FR he hu ' +
  'hr id it it-IT ja ko lt lv ms mt nb nl pl pt pt-BR ro ru sk sl sv th tr vi zh zh-HK zh-TW'
).split(' ') as StripeElementLocale[];

/** Other names of the same: Norwegian in its two written forms, Chinese by its script. */
const ALIASES: Record<string, StripeElementLocale> = {
  nn: 'nb',
  no: 'nb',
  'zh-Hant': 'zh-TW',
  'zh-Hant-HK': 'zh-HK',
  'zh-Hant-MO': 'zh-HK',
  'zh-MO': 'zh-HK',
};

/** Stripe's locale for a tag such as `de_AT`: itself, else what it is a kind of, else `auto`. */
export function stripeLocale(locale: string | undefined): StripeElementLocale {
  for (let tag = canonical(locale); tag; tag = tag.replace(/-?[^-]*$/, '')) {
    const found = ALIASES[tag] ?? KNOWN.find((each) => each === tag);
    if (found) return found;
  }
  return 'auto';
}

/** A tag that `Intl` accepts: the wanted one, else the browser's. */
export function languageTag(locale: string | undefined): string {
  return canonical(locale) ?? canonical(navigator.language) ?? 'en';
}

/** The tag as `Intl` writes it; undefined where it is none. */
export function canonical(locale = ''): string | undefined {
  try {
    return Intl.getCanonicalLocales(locale.trim().replace(/_/g, '-'))[0];
  } catch {
    return undefined; // nothing, or no tag at all
  }
}
