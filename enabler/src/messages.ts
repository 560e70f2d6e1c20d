/** What the enabler itself says to shoppers; Stripe's elements have their own texts. */

const LANGUAGES = ['en', 'de', 'fr', 'es', 'it', 'nl'];

/** One row for each text, one column for each language. */
const TEXTS = {
  amountChanged: [
    'The total is now {}. Please pay again.',
    'Der Betrag ist jetzt {}. Bitte zahlen Sie erneut.',
    'Le total est maintenant de {}. Veuillez payer à nouveau.',
    'El total es ahora {}. Vuelva a pagar.',
    'Il totale è ora {}. Paga di nuovo.',
    'Het totaal is nu {}. Betaal opnieuw.',
  ],
  failed: [
    'Something went wrong. Please try again.',
    'Es gab ein Problem. Bitte versuchen Sie es erneut.',
    'Un problème est survenu. Veuillez réessayer.',
    'Algo ha fallado. Inténtelo de nuevo.',
    'Si è verificato un problema. Riprova.',
    'Er ging iets mis. Probeer het opnieuw.',
  ],
  pay: ['Pay {}', '{} zahlen', 'Payer {}', 'Pagar {}', 'Paga {}', '{} betalen'],
  payment: ['Payment', 'Zahlung', 'Paiement', 'Pago', 'Pagamento', 'Betaling'],
  pending: [
    'Processing payment.',
    'Zahlung wird bearbeitet.',
    'Paiement en cours.',
    'Pago en curso.',
    'Pagamento in corso.',
    'Betaling wordt verwerkt.',
  ],
  session: [
    'Session expired. Please reload the page.',
    'Sitzung abgelaufen. Bitte laden Sie die Seite neu.',
    'Session expirée. Veuillez recharger la page.',
    'Sesión caducada. Recargue la página.',
    'Sessione scaduta. Ricarica la pagina.',
    'Sessie verlopen. Laad de pagina opnieuw.',
  ],
  shipping: ['Shipping', 'Versand', 'Livraison', 'Envío', 'Spedizione', 'Verzending'],
};

export type MessageKey = keyof typeof TEXTS;

/** The text for a key; where a value is given, it takes the text's empty braces' place. */
export type Messages = (key: MessageKey, value?: string) => string;

/** The messages for a language tag such as `de-AT`; English where there are none. */
export function messagesFor(locale: string): Messages {
  const column = Math.max(0, LANGUAGES.indexOf(locale.slice(0, 2).toLowerCase()));
  // A function, because a value such as "$&" would be a pattern.
  return (key, value = '') => (TEXTS[key][column] ?? '').replace('{}', () => value);
}
