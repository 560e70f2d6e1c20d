/** Reports how an attempt ended: to the page by its callbacks, to the shopper in the box. */

import {
  asConnectorError,
  type ConnectorError,
  IncompleteError,
  PaymentCanceled,
  PaymentDeclined,
  PaymentUnfinished,
} from './errors';
import type { Frame } from './frame';
import type { Messages } from './messages';
import type { Ended } from './plan';
import type { ChosenMethod, EnablerOptions, OnComplete } from './types';

export interface Report {
  /** Something thrown as an error of ours, said to the shopper. */
  present(thrown: unknown, frame?: Frame): ConnectorError;
  /** Calls `to`, or the enabler's `onComplete`. */
  ended(ended: Ended, frame?: Frame, to?: OnComplete): void;
  /** Calls `to` or `onComplete` where the payment was refused, else `onError`. */
  failed(error: ConnectorError, to?: OnComplete, method?: ChosenMethod): void;
}

/** Of a payment that was picked up, or that ended before the shopper chose. */
const UNKNOWN: ChosenMethod = { type: 'unknown' };

export function createReport(options: EnablerOptions, messages: Messages): Report {
  return {
    present(thrown, frame) {
      const error = asConnectorError(thrown).localise(messages);
      // Stripe marks what is missing where it is missing, and a closed wallet needs no answer.
      const calm = error instanceof PaymentCanceled;
      frame?.say(error.shopperMessage, !(calm || error instanceof IncompleteError), calm);
      return error;
    },
    ended({ state, paymentReference, method = UNKNOWN }, frame, to) {
      if (state === 'pending') frame?.say(messages('pending'));
      frame?.show(state);
      const result = { isSuccess: true, state, paymentReference, method } as const;
      guarded(() => (to ?? options.onComplete)?.(result));
    },
    failed(error, to, method = UNKNOWN) {
      const reference = error.paymentReference ? { paymentReference: error.paymentReference } : {};
      if (error instanceof PaymentDeclined || error instanceof PaymentUnfinished) {
        const result = { isSuccess: false, state: 'failure', error, method, ...reference } as const;
        guarded(() => (to ?? options.onComplete)?.(result));
      } else {
        guarded(() => options.onError?.(error, reference));
      }
    },
  };
}

/** What a callback of the page throws is the page's error, not the payment's. */
function guarded(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    reportError(error);
  }
}
