/** French. */

import type { Texts } from './en';

export const texts: Texts = {
  amountChanged: 'Le total est maintenant de {}. Rien n’a été débité. Veuillez payer à nouveau.',
  CANCEL: 'Vous avez fermé le portefeuille. Rien n’a été débité.',
  checking: 'Vérification auprès de votre banque',
  PaymentDeclined: '{} Rien n’a été débité. Veuillez payer autrement.',
  failed: 'Un problème est survenu. Rien n’a été débité. Veuillez réessayer.',
  NetworkError: 'Pas de connexion. Rien n’a été débité. Veuillez réessayer.',
  success: 'Payé',
  pay: 'Payer {}',
  payment: 'Paiement',
  pending: 'Paiement en cours.',
  refused: 'La boutique ne peut pas accepter ce paiement. Contactez-la avant de payer à nouveau.',
  session: 'Session expirée. Rien n’a été débité. Veuillez recharger la page.',
  shipping: 'Livraison',
  taken:
    'Vous avez payé, mais la boutique ne le sait pas encore. Veuillez réessayer : vous ne paierez pas deux fois.',
  PaymentUnfinished: 'Le paiement n’a pas été confirmé. Rien n’a été débité. Veuillez réessayer.',
  unknown:
    'On ne sait pas encore si vous avez payé. Veuillez réessayer : vous ne paierez pas deux fois.',
};
