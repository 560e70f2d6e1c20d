/** Amounts: commercetools' to Stripe's minor units, and as text. */

import { UsageError } from './errors';
import type { Money } from './types';

// https://docs.stripe.com/currencies
const ZERO_DECIMAL = 'BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF';
const THREE_DECIMAL = 'BHD JOD KWD OMR TND';

/** An amount in Stripe's minor units; the currency in lower case, as Stripe writes it. */
export interface Amount {
  amount: number;
  currency: string;
}

/** The processor writes currencies in upper case. */
export function stripeAmount({ amount, currency }: Amount): Amount {
  return { amount, currency: currency.toLowerCase() };
}

/** Throws UsageError where Stripe cannot have the amount exactly. */
export function toStripe({ centAmount, currencyCode, fractionDigits }: Money): Amount {
  const shift = stripeDigits(currencyCode) - fractionDigits;
  // Divided, not multiplied by a fraction, which floating point cannot write exactly.
  const amount = shift < 0 ? centAmount / 10 ** -shift : centAmount * 10 ** shift;
  if (!Number.isSafeInteger(amount)) {
    throw new UsageError(`No such amount of ${currencyCode}.`, { code: 'amount' });
  }
  return { amount, currency: currencyCode.toLowerCase() };
}

/** Such as `12,34 €`. */
export function format({ amount, currency }: Amount, locale: string): string {
  const code = currency.toUpperCase();
  return new Intl.NumberFormat(locale, { style: 'currency', currency: code }).format(
    amount / 10 ** stripeDigits(code),
  );
}

function stripeDigits(currency: string): number {
  if (ZERO_DECIMAL.includes(currency)) return 0;
  return THREE_DECIMAL.includes(currency) ? 3 : 2;
}
