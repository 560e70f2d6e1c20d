/**
 * One tree of errors: everything that is thrown or passed to a callback belongs to it.
 *
 * ConnectorError
 * ├── UsageError        the page asks for something impossible: an unknown type, no session
 * ├── NetworkError      processor or Stripe did not answer, or too late
 * ├── ProcessorError    the processor refused (`status`), or its answer makes no sense
 * ├── StripeJsError     Stripe.js refused, for another reason than the shopper's bank
 * ├── IncompleteError   the shopper's details are missing or invalid
 * ├── AmountChanged     the cart costs something else than was shown; nothing was charged
 * ├── PaymentDeclined   refused for good; another method may work (`declineCode`)
 * ├── PaymentUnfinished the shopper left an authentication or a QR code before its end
 * └── PaymentCanceled   the shopper closed the wallet; its name is `CANCEL`
 */

import { defined } from './defined';
import type { Messages } from './messages';

/** What is known of the money, where it is not that nothing was charged. */
type Doubt = 'refused' | 'taken' | 'unknown' | undefined;

export interface Details {
  doubt?: Doubt;
  /** Stripe's or commercetools' code where there is one. */
  code?: string | undefined;
  cause?: unknown;
  correlationId?: string | undefined;
  declineCode?: string | undefined;
  /** What a developer should look at. */
  hint?: string | undefined;
  paymentReference?: string | undefined;
  /** Why the bank refused, in the shopper's language. */
  reason?: string | undefined;
  /** A text for the shopper that is in their language already. */
  shopperMessage?: string | undefined;
  status?: number | undefined;
}

/** Base of all errors of the enabler. */
export class ConnectorError extends Error {
  override readonly name: string = 'ConnectorError';
  readonly code: string = 'unexpected';
  /** Names the attempt in the processor's log. */
  declare correlationId?: string;
  /** Why the bank refused, in Stripe's words. */
  declare readonly declineCode?: string;
  /** For the developer, where the likely cause is a mistake of the integration. */
  declare readonly hint?: string;
  /** The id of the commercetools Payment. */
  declare paymentReference?: string;
  /** The HTTP status, where the processor refused. */
  declare readonly status?: number;
  /** What to tell the shopper, in their language: whether money moved, and what to do now. */
  shopperMessage = '';
  declare doubt?: Doubt;
  /** Why the bank refused, for the shopper and in their language. */
  declare readonly reason?: string;

  constructor(message: string, { cause, ...details }: Details = {}) {
    super(message, { cause });
    Object.assign(this, defined(details));
  }

  /** Fill `shopperMessage` where that is not done already. */
  localise(messages: Messages): this {
    const key = this.doubt ?? (this.status === 401 ? 'session' : this.name);
    this.shopperMessage ||= messages(key, this.reason);
    return this;
  }

  /** Set the attempt that it belongs to, where that is not known yet. */
  about(paymentReference: string, correlationId: string): this {
    this.paymentReference ??= paymentReference;
    this.correlationId ??= correlationId;
    return this;
  }
}

export class UsageError extends ConnectorError {
  override readonly name = 'UsageError';
}

export class NetworkError extends ConnectorError {
  override readonly name = 'NetworkError';
}

export class ProcessorError extends ConnectorError {
  override readonly name = 'ProcessorError';
}

export class StripeJsError extends ConnectorError {
  override readonly name = 'StripeJsError';
}

export class IncompleteError extends ConnectorError {
  override readonly name = 'IncompleteError';
}

export class AmountChanged extends ConnectorError {
  override readonly name = 'AmountChanged';
}

export class PaymentDeclined extends ConnectorError {
  override readonly name = 'PaymentDeclined';
}

export class PaymentUnfinished extends ConnectorError {
  override readonly name = 'PaymentUnfinished';
}

export class PaymentCanceled extends ConnectorError {
  /** As connectors of commercetools name it. */
  override readonly name = 'CANCEL';
}

export const KEY_HINT =
  'STRIPE_PUBLISHABLE_KEY must be the pk_ key of the account and mode of STRIPE_SECRET_KEY.';

/** Anything that was thrown, as one of ours. */
export function asConnectorError(thrown: unknown): ConnectorError {
  if (thrown instanceof ConnectorError) return thrown;
  return new ConnectorError(thrown instanceof Error ? thrown.message : String(thrown), {
    cause: thrown,
  });
}
