/** Express buttons for any page, and for the payment page. */

import type { Checkout } from './checkout';
import { UsageError } from './errors';
import { kit } from './kit';
import { loaded } from './loaded';
import { type Amount, toStripe } from './money';
import { mounting } from './mount';
import { money } from './responses';
import type { ExpressComponent, ExpressOptions, PaymentComponent } from './types';

const BUTTON_HEIGHT = '3rem';
/** The component of all wallets; others are named by the one that they open. */
export const ALL = 'expressCheckout';

/** Buttons on any page: the wallet asks for addresses, the session comes when one is pressed. */
export function expressButtons(checkout: Checkout, page: ExpressOptions): ExpressComponent {
  // Pages have no types, and a wrong amount must not reach the wallet.
  const amount = toStripe(money(page.initialAmount, 'initialAmount'));
  const component = buttons(checkout, ALL, page, amount);
  return {
    ...component,
    mount: (place) => component.mount(place).catch((error) => checkout.fail(error)),
  };
}

/** Buttons on the payment page: the cart is complete, addresses and shipping included. */
export function expressComponent(checkout: Checkout, type: string): PaymentComponent {
  return {
    ...buttons(checkout, type),
    submit: async () => checkout.fail(new UsageError('Press a wallet.', { code: 'no_submit' })),
  };
}

function buttons(checkout: Checkout, type: string, page?: ExpressOptions, amount?: Amount) {
  let available = true;
  return {
    ...mounting(checkout, BUTTON_HEIGHT, async (box) => {
      const { showButtons } = await loaded(import('./express'));
      available = await showButtons(kit, checkout, box, type, page, amount);
    }),
    isAvailable: async () => available && checkout.offers(type),
  };
}
