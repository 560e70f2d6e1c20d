/** Spanish. */

import type { Texts } from './en';

export const texts: Texts = {
  amountChanged: 'El total es ahora {}. Vuelva a pagar.',
  failed: 'Algo ha fallado. Inténtelo de nuevo.',
  pay: 'Pagar {}',
  payment: 'Pago',
  pending: 'Pago en curso.',
  session: 'Sesión caducada. Recargue la página.',
  shipping: 'Envío',
};
