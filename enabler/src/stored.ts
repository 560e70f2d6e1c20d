/**
 * A stored payment method as a component: shown, used, removed.
 *
 * A file of its own in the es build, which pages without it do not load. See `kit.ts`.
 */

import type { Checkout } from './checkout';
import type { Frame } from './frame';
import type { Kit } from './kit';
import type { Amount } from './money';
import type { StoredComponent, StoredComponentOptions, StoredPaymentMethod } from './types';

interface Mounted {
  frame: Frame;
  shown: Amount;
  method: StoredPaymentMethod;
}

export function storedComponent(
  { UsageError, loadPay, mounting, pay, shown, storedMethods, stripeAmount }: Kit,
  checkout: Checkout,
  { id, brands = [], showPayButton, onPayButtonClick }: StoredComponentOptions,
): StoredComponent {
  let mounted: Mounted | undefined;

  async function find(): Promise<StoredPaymentMethod | undefined> {
    const found = (await storedMethods(checkout)).find((method) => method.id === id);
    const brand = found?.displayOptions.brand?.key;
    return brand && brands.length && !brands.includes(brand) ? undefined : found;
  }

  const seat = mounting(checkout, '', async (box) => {
    const [method, config] = await Promise.all([
      find(),
      checkout.client().elementConfig('payment'),
      loadPay(),
    ]);
    if (!method) {
      const hint = 'getStoredPaymentMethods() lists those that may be used.';
      throw new UsageError(`No stored method ${id}.`, { code: 'unavailable', hint });
    }
    if (!box.isShown()) return;
    box.slot.textContent = describe(method);
    mounted = { frame: box, shown: stripeAmount(config.cartInfo), method };
    label(mounted);
  });

  function label({ frame: box, shown: amount }: Mounted): void {
    if (showPayButton) box.button(amount, () => void submit());
  }

  function submit(): Promise<void> {
    return checkout.attempt({
      frame: mounted?.frame,
      pay: async (attempt) => {
        const now = shown(mounted);
        if (showPayButton) await onPayButtonClick?.();
        return pay(checkout, attempt, {
          start: { storedPaymentMethodId: id },
          shown: now.shown,
          method: { type: now.method.type },
          changed(amount) {
            now.shown = amount;
            label(now);
          },
        });
      },
      method: () => mounted && { type: mounted.method.type },
    });
  }

  return {
    ...seat,
    submit,
    async remove() {
      try {
        await checkout.client().removeStoredPaymentMethod(id);
      } catch (thrown) {
        throw checkout.present(thrown, mounted?.frame);
      }
      seat.unmount();
      mounted = undefined;
    },
    isAvailable: async () => (await find()) !== undefined,
  };
}

/** Such as `VISA •••• 4242 04/2030`. */
function describe({ type, displayOptions }: StoredPaymentMethod): string {
  const { brand, endDigits, expiryMonth, expiryYear } = displayOptions;
  return [
    (brand?.key ?? type).replace(/_/g, ' ').toUpperCase(),
    endDigits && `•••• ${endDigits}`,
    expiryMonth && `${String(expiryMonth).padStart(2, '0')}/${expiryYear}`,
  ]
    .filter(Boolean)
    .join(' ');
}
