/**
 * What components in files of their own use of the main file.
 *
 * They are given it, and import none of it: a page may load the main file under an address with a
 * query, and the browser would load it a second time for the address without.
 */

import { PaymentCanceled } from './errors';
import { toStripe } from './money';
import { pay, validate } from './pay';
import { stripeError } from './settle';

export const kit = { PaymentCanceled, pay, stripeError, toStripe, validate };

export type Kit = typeof kit;
