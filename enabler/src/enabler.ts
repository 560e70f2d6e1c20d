/** The enabler: from a processor's address and a session to what shoppers pay with. */

import { type Checkout, createCheckout, requireSession } from './checkout';
import components from './components.json';
import { UsageError } from './errors';
import { expressButtons, expressComponent } from './express-builders';
import { kit } from './kit';
import { loaded } from './loaded';
import { paymentElement } from './payment-element';
import { storedMethods } from './stored-methods';
import type {
  EnablerOptions,
  PaymentComponentBuilder,
  PaymentDropinBuilder,
  PaymentEnabler,
  PaymentExpressBuilder,
  StoredComponentBuilder,
} from './types';

/** What can be built, in the words of the processor's /operations/payment-components. */
export const COMPONENTS: {
  readonly [kind in 'dropins' | 'components' | 'express']: readonly { readonly type: string }[];
} = components;

const WALLETS = ['expressCheckout', 'applePay', 'googlePay'];

export class Enabler implements PaymentEnabler {
  readonly #checkout: Checkout;

  /** Begins to load; a shopper who comes back from their bank is picked up. */
  constructor(options: EnablerOptions) {
    if (!options?.processorUrl) {
      const hint = "Pass processorUrl, the processor's public address.";
      throw new UsageError('No processorUrl.', { code: 'processor_required', hint });
    }
    this.#checkout = createCheckout(options);
  }

  async createComponentBuilder(type: string): Promise<PaymentComponentBuilder> {
    offered('components', type);
    requireSession(this.#checkout.options);
    return WALLETS.includes(type)
      ? {
          // No page may open a wallet: its own button must be pressed.
          componentHasSubmit: false,
          build: () => expressComponent(this.#checkout, type),
        }
      : {
          componentHasSubmit: true,
          build: (options) => paymentElement(this.#checkout, options, type),
        };
  }

  async createDropinBuilder(type: string): Promise<PaymentDropinBuilder> {
    offered('dropins', type);
    requireSession(this.#checkout.options);
    return {
      dropinHasSubmit: true,
      build: ({ onDropinReady: onReady, ...options } = {}) => {
        const { submit, ...component } = paymentElement(this.#checkout, { ...options, onReady });
        return { ...component, submit: () => submit() };
      },
    };
  }

  async createStoredPaymentMethodBuilder(type: string): Promise<StoredComponentBuilder> {
    if (!(await this.isStoredPaymentMethodsEnabled())) {
      const hint = 'Switch on STORED_PAYMENT_METHODS_ENABLED.';
      throw new UsageError(`No stored ${type}.`, { code: 'disabled', hint });
    }
    const { storedComponent } = await loaded(import('./stored')).catch((error: unknown) => {
      throw this.#checkout.present(error);
    });
    return {
      componentHasSubmit: true,
      build: (options) => storedComponent(kit, this.#checkout, options),
    };
  }

  async createExpressBuilder(type: string): Promise<PaymentExpressBuilder> {
    offered('express', type);
    return { build: (options) => expressButtons(this.#checkout, options) };
  }

  async isStoredPaymentMethodsEnabled(): Promise<boolean> {
    requireSession(this.#checkout.options);
    return (await this.#checkout.setup()).config.storedPaymentMethodsConfig.isEnabled;
  }

  async getStoredPaymentMethods({ allowedMethodTypes }: { allowedMethodTypes: string[] }) {
    const all = await storedMethods(this.#checkout);
    return { storedPaymentMethods: all.filter(({ type }) => allowedMethodTypes.includes(type)) };
  }

  setStorePaymentDetails(enabled: boolean): void {
    this.#checkout.storePaymentDetails = enabled;
  }
}

function offered(kind: keyof typeof COMPONENTS, type: string): void {
  if (!COMPONENTS[kind].some((each) => each.type === type)) {
    const hint = 'COMPONENTS lists what can be built.';
    throw new UsageError(`No ${type} in ${kind}.`, { code: 'unsupported', hint });
  }
}
