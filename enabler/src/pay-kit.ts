/** What `pay.ts`, a file of its own, uses of the main file; see `kit.ts` for why it is given it. */

import type { StripeElements } from '@stripe/stripe-js';
import {
  AmountChanged,
  asConnectorError,
  PaymentDeclined,
  PaymentUnfinished,
  ProcessorError,
  StripeJsError,
} from './errors';
import { forget, RETURN_PARAMETERS, remember } from './memory';
import { format } from './money';
import { isDone, stripeError } from './stripe-answers';

export const payKit = {
  AmountChanged,
  PaymentDeclined,
  PaymentUnfinished,
  ProcessorError,
  RETURN_PARAMETERS,
  StripeJsError,
  asConnectorError,
  forget,
  format,
  isDone,
  remember,
  stripeError,
  validate,
};

export type PayKit = typeof payKit;

/** Have elements collect what the shopper has entered; throws where that is incomplete. */
export async function validate(elements: StripeElements): Promise<void> {
  const { error } = await elements.submit();
  if (error) throw stripeError(error);
}
