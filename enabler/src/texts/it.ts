/** Italian. */

import type { Texts } from './en';

export const texts: Texts = {
  amountChanged: 'Il totale è ora {}. Non è stato addebitato nulla. Paga di nuovo.',
  CANCEL: 'Hai chiuso il wallet. Non è stato addebitato nulla.',
  checking: 'Verifica con la tua banca',
  PaymentDeclined: '{} Non è stato addebitato nulla. Paga in un altro modo.',
  failed: 'Si è verificato un problema. Non è stato addebitato nulla. Riprova.',
  NetworkError: 'Nessuna connessione. Non è stato addebitato nulla. Riprova.',
  success: 'Pagato',
  pay: 'Paga {}',
  payment: 'Pagamento',
  pending: 'Pagamento in corso.',
  refused: 'Il negozio non può accettare questo pagamento. Contattalo prima di pagare di nuovo.',
  session: 'Sessione scaduta. Non è stato addebitato nulla. Ricarica la pagina.',
  shipping: 'Spedizione',
  taken: 'Hai pagato, ma il negozio non lo sa ancora. Riprova: non pagherai due volte.',
  PaymentUnfinished: 'Il pagamento non è stato confermato. Non è stato addebitato nulla. Riprova.',
  unknown: 'Non si sa ancora se hai pagato. Riprova: non pagherai due volte.',
};
