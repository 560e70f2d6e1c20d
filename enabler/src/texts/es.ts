/** Spanish. */

import type { Texts } from './en';

export const texts: Texts = {
  amountChanged: 'El total es ahora {}. No se ha cobrado nada. Vuelva a pagar.',
  CANCEL: 'Ha cerrado la cartera. No se ha cobrado nada.',
  checking: 'Consultando a su banco',
  PaymentDeclined: '{} No se ha cobrado nada. Pague de otra forma.',
  failed: 'Algo ha fallado. No se ha cobrado nada. Inténtelo de nuevo.',
  NetworkError: 'Sin conexión. No se ha cobrado nada. Inténtelo de nuevo.',
  success: 'Pagado',
  pay: 'Pagar {}',
  payment: 'Pago',
  pending: 'Pago en curso.',
  refused: 'La tienda no puede aceptar este pago. Consúltela antes de volver a pagar.',
  session: 'Sesión caducada. No se ha cobrado nada. Recargue la página.',
  shipping: 'Envío',
  taken: 'Ha pagado, pero la tienda aún no lo sabe. Inténtelo de nuevo: no pagará dos veces.',
  PaymentUnfinished: 'El pago no se ha confirmado. No se ha cobrado nada. Inténtelo de nuevo.',
  unknown: 'Aún no se sabe si ha pagado. Inténtelo de nuevo: no pagará dos veces.',
};
