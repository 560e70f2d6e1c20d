/** An attempt to pay, whose file is loaded when something to pay with is shown. */

import type { Attempt } from './attempts';
import type { Checkout } from './checkout';
import { loaded } from './loaded';
import type { Plan } from './pay';
import { payKit } from './pay-kit';
import type { Ended } from './report';

/** Ends when an attempt would not have to wait for its file. */
export const loadPay = () => loaded(import('./pay'));

/** Throws where the payment did not go through; the attempt stays remembered if that is unknown. */
export async function pay(checkout: Checkout, attempt: Attempt, plan: Plan): Promise<Ended> {
  return (await loadPay()).pay(payKit, checkout, attempt, plan);
}
