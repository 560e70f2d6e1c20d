/** French. */

import type { Texts } from './en';

export const texts: Texts = {
  amountChanged: 'Le total est maintenant de {}. Veuillez payer à nouveau.',
  failed: 'Un problème est survenu. Veuillez réessayer.',
  pay: 'Payer {}',
  payment: 'Paiement',
  pending: 'Paiement en cours.',
  session: 'Session expirée. Veuillez recharger la page.',
  shipping: 'Livraison',
};
