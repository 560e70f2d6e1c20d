/** German. */

import type { Texts } from './en';

export const texts: Texts = {
  amountChanged: 'Der Betrag ist jetzt {}. Es wurde nichts abgebucht. Bitte zahlen Sie erneut.',
  CANCEL: 'Sie haben die Wallet geschlossen. Es wurde nichts abgebucht.',
  checking: 'Ihre Bank wird gefragt',
  PaymentDeclined: '{} Es wurde nichts abgebucht. Bitte zahlen Sie auf andere Weise.',
  failed: 'Es gab ein Problem. Es wurde nichts abgebucht. Bitte versuchen Sie es erneut.',
  NetworkError: 'Keine Verbindung. Es wurde nichts abgebucht. Bitte versuchen Sie es erneut.',
  success: 'Bezahlt',
  pay: '{} zahlen',
  payment: 'Zahlung',
  pending: 'Zahlung wird bearbeitet.',
  refused:
    'Der Shop kann diese Zahlung nicht annehmen. Bitte fragen Sie ihn, bevor Sie erneut zahlen.',
  session: 'Sitzung abgelaufen. Es wurde nichts abgebucht. Bitte laden Sie die Seite neu.',
  shipping: 'Versand',
  taken:
    'Sie haben bezahlt, aber der Shop weiß es noch nicht. Bitte versuchen Sie es erneut: Sie zahlen nicht doppelt.',
  PaymentUnfinished:
    'Die Zahlung wurde nicht bestätigt. Es wurde nichts abgebucht. Bitte versuchen Sie es erneut.',
  unknown:
    'Es ist noch nicht bekannt, ob Sie bezahlt haben. Bitte versuchen Sie es erneut: Sie zahlen nicht doppelt.',
};
