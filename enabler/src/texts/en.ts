/** English: what is said where there is no other text. */

export const texts = {
  amountChanged: 'The total is now {}. Please pay again.',
  failed: 'Something went wrong. Please try again.',
  pay: 'Pay {}',
  payment: 'Payment',
  pending: 'Processing payment.',
  session: 'Session expired. Please reload the page.',
  shipping: 'Shipping',
};

/** A text for each key; `{}` is where a value goes. */
export type Texts = Record<keyof typeof texts, string>;
