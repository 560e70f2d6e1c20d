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

/** Buttons on any page: the wallet asks for addresses, the session comes when one is pressed. */
export function expressButtons(checkout: Checkout, page: ExpressOptions): ExpressComponent {
  // Pages have no types, and a wrong amount must not reach the wallet.
  const amount = toStripe(money(page.initialAmount, 'initialAmount'));
  const { mount } = buttons(checkout, page, amount);
  return { mount: (selector) => mount(selector).catch((error) => checkout.fail(error)) };
}

/** Buttons on the payment page: the cart is complete, addresses and shipping included. */
export function expressComponent(checkout: Checkout): PaymentComponent {
  return {
    ...buttons(checkout),
    submit: async () => checkout.fail(new UsageError('Press a wallet.', { code: 'no_submit' })),
  };
}

function buttons(checkout: Checkout, page?: ExpressOptions, amount?: Amount) {
  let available = true;
  return {
    mount: (selector: string) =>
      mounting(checkout, selector, BUTTON_HEIGHT, async (box) => {
        const { showButtons } = await loaded(import('./express'));
        available = await showButtons(kit, checkout, box, page, amount);
      }),
    isAvailable: async () => available,
  };
}
