/** Dutch. */

import type { Texts } from './en';

export const texts: Texts = {
  amountChanged: 'Het totaal is nu {}. Er is niets afgeschreven. Betaal opnieuw.',
  CANCEL: 'U hebt de wallet gesloten. Er is niets afgeschreven.',
  checking: 'Je bank wordt gevraagd',
  PaymentDeclined: '{} Er is niets afgeschreven. Betaal op een andere manier.',
  failed: 'Er ging iets mis. Er is niets afgeschreven. Probeer het opnieuw.',
  NetworkError: 'Geen verbinding. Er is niets afgeschreven. Probeer het opnieuw.',
  success: 'Betaald',
  pay: '{} betalen',
  payment: 'Betaling',
  pending: 'Betaling wordt verwerkt.',
  refused:
    'De winkel kan deze betaling niet aannemen. Vraag het de winkel voordat je opnieuw betaalt.',
  session: 'Sessie verlopen. Er is niets afgeschreven. Laad de pagina opnieuw.',
  shipping: 'Verzending',
  taken:
    'Je hebt betaald, maar de winkel weet het nog niet. Probeer het opnieuw: je betaalt niet dubbel.',
  PaymentUnfinished:
    'De betaling is niet bevestigd. Er is niets afgeschreven. Probeer het opnieuw.',
  unknown:
    'Het is nog niet bekend of je hebt betaald. Probeer het opnieuw: je betaalt niet dubbel.',
};
