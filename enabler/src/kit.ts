/**
 * What components in files of their own use of the main file.
 *
 * They are given it, and import none of it: a page may load the main file under an address with a
 * query, and the browser would load it a second time for the address without.
 */

import { NetworkError, PaymentCanceled, UsageError } from './errors';
import { stripeAmount, toStripe } from './money';
import { mounting, shown } from './mount';
import { pay, validate } from './pay';
import { stripeError } from './settle';
import { storedMethods } from './stored-methods';

export const kit = {
  PaymentCanceled,
  UsageError,
  mounting,
  pay,
  shown,
  storedMethods,
  stripeAmount,
  stripeError,
  toStripe,
  validate,
};

export type Kit = typeof kit;

/** Throws NetworkError where the file does not come. */
export function loaded<T>(file: Promise<T>): Promise<T> {
  return file.catch((cause: unknown) => {
    const hint = 'Serve all of enabler/public, not the main file alone.';
    const details = { code: 'enabler_file', cause, hint };
    throw new NetworkError('A file of the enabler is missing.', details);
  });
}
