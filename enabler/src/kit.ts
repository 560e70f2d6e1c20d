/**
 * What components in files of their own use of the main file.
 *
 * They are given it, and import none of it: a page may load the main file under an address with a
 * query, and the browser would load it a second time for the address without.
 */

import { PaymentCanceled, UsageError } from './errors';
import { stripeAmount, toStripe } from './money';
import { mounting, shown } from './mount';
import { validate } from './pay-kit';
import { loadPay, pay } from './paying';
import { storedMethods } from './stored-methods';
import { stripeError } from './stripe-answers';

export const kit = {
  PaymentCanceled,
  UsageError,
  loadPay,
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
