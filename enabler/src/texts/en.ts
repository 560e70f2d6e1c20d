/** English: what is said where there is no other text. */

export const texts = {
  amountChanged: 'The total is now {}. Nothing was charged. Please pay again.',
  CANCEL: 'You closed the wallet. Nothing was charged.',
  checking: 'Checking with your bank',
  PaymentDeclined: '{} Nothing was charged. Please try another way.',
  failed: 'Something went wrong. Nothing was charged. Please try again.',
  NetworkError: 'No connection. Nothing was charged. Please try again.',
  success: 'Paid',
  pay: 'Pay {}',
  payment: 'Payment',
  pending: 'Processing payment.',
  refused: 'The shop refused. Please ask before you pay again.',
  session: 'Session expired. Nothing was charged. Please reload.',
  shipping: 'Shipping',
  taken: 'You have paid. Please try again: you will not pay twice.',
  PaymentUnfinished: 'Not confirmed. Nothing was charged. Please try again.',
  unknown: 'You may have paid. Please try again: you will not pay twice.',
};

/** A text for each key; `{}` is where a value goes. */
export type Texts = Record<keyof typeof texts, string>;
