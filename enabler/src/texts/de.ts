/** German. */

import type { Texts } from './en';

export const texts: Texts = {
  amountChanged: 'Der Betrag ist jetzt {}. Bitte zahlen Sie erneut.',
  failed: 'Es gab ein Problem. Bitte versuchen Sie es erneut.',
  pay: '{} zahlen',
  payment: 'Zahlung',
  pending: 'Zahlung wird bearbeitet.',
  session: 'Sitzung abgelaufen. Bitte laden Sie die Seite neu.',
  shipping: 'Versand',
};
