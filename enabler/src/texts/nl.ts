/** Dutch. */

import type { Texts } from './en';

export const texts: Texts = {
  amountChanged: 'Het totaal is nu {}. Betaal opnieuw.',
  failed: 'Er ging iets mis. Probeer het opnieuw.',
  pay: '{} betalen',
  payment: 'Betaling',
  pending: 'Betaling wordt verwerkt.',
  session: 'Sessie verlopen. Laad de pagina opnieuw.',
  shipping: 'Verzending',
};
