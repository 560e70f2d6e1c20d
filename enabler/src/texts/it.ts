/** Italian. */

import type { Texts } from './en';

export const texts: Texts = {
  amountChanged: 'Il totale è ora {}. Paga di nuovo.',
  failed: 'Si è verificato un problema. Riprova.',
  pay: 'Paga {}',
  payment: 'Pagamento',
  pending: 'Pagamento in corso.',
  session: 'Sessione scaduta. Ricarica la pagina.',
  shipping: 'Spedizione',
};
