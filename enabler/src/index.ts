/** The library's exports. */

export { COMPONENTS, Enabler } from './enabler';
export {
  AmountChanged,
  ConnectorError,
  IncompleteError,
  NetworkError,
  PaymentCanceled,
  PaymentDeclined,
  PaymentUnfinished,
  ProcessorError,
  StripeJsError,
  UsageError,
} from './errors';
export type * from './types';
