/** Stripe's Payment Element as drop-in and as component. */

import type {
  Appearance,
  LayoutObject,
  Stripe,
  StripeElements,
  StripePaymentElement,
  StripePaymentElementOptions,
} from '@stripe/stripe-js';
import type { Checkout } from './checkout';
import { defined } from './defined';
import { IncompleteError } from './errors';
import type { Frame } from './frame';
import { type Amount, stripeAmount } from './money';
import { mounting, shown } from './mount';
import { validate } from './pay-kit';
import { loadPay, pay } from './paying';
import type { Attempt, Ended, Terms } from './plan';
import type { ElementConfig } from './responses';
import { stripeError } from './stripe-answers';
import type { ComponentOptions, PaymentComponent, SubmitOptions } from './types';

export interface PaymentElementOptions extends ComponentOptions {
  onReady?: (() => Promise<void>) | undefined;
}

interface Mounted {
  frame: Frame;
  loaded: Loaded;
  elements: StripeElements;
  element: StripePaymentElement;
  /** Of the intent that the elements show, where it comes first. */
  clientSecret: string | undefined;
  shown: Amount;
  terms: Terms;
  complete: boolean;
  /** As Stripe names it; unknown until the shopper has chosen. */
  method: string;
}

interface Loaded {
  config: ElementConfig;
  customerSession: string | undefined;
}

const LOADING_HEIGHT = '15rem';
const UNKNOWN = 'unknown';

/** The component of all methods; others are named by the one type that they offer. */
const ALL = 'payment';

/** A Payment Element, of all methods or of one; mounting it asks for all that it needs at once. */
export function paymentElement(
  checkout: Checkout,
  options: PaymentElementOptions = {},
  type = ALL,
): Required<PaymentComponent> {
  let mounted: Mounted | undefined;
  const single = type === ALL ? {} : { paymentMethodType: type };

  async function load(): Promise<Loaded> {
    const client = checkout.client();
    const [config, customerSession] = await Promise.all([
      client.elementConfig(type),
      client.customerSession(),
    ]);
    return { config, customerSession };
  }

  async function fill(box: Frame): Promise<void> {
    const [{ stripe }, loaded] = await Promise.all([checkout.setup(), load()]);
    const first =
      loaded.config.flowType === 'pi_first'
        ? await checkout.client().startPayment(single)
        : undefined;
    if (!box.isShown()) return;
    const now = await show(stripe, box, loaded, first?.clientSecret, options.onChange);
    if (!box.isShown()) return;
    mounted = now;
    label(now);
  }

  function label({ frame: box, shown }: Mounted): void {
    if (options.showPayButton) box.button(shown, () => void submit());
  }

  function submit(given: SubmitOptions = {}): Promise<void> {
    const now = mounted;
    return checkout.attempt({
      frame: now?.frame,
      pay: async (attempt) => payWith(shown(now), attempt, given),
      method: () => now && { type: now.method },
      onFailure: (error) => {
        if (error instanceof IncompleteError) now?.element.focus();
      },
    });
  }

  async function payWith(now: Mounted, attempt: Attempt, given: SubmitOptions): Promise<Ended> {
    const { elements } = now;
    // First of all: wallets open only right after the shopper's click.
    await validate(elements);
    const method = { type: now.method };
    await options.onSubmit?.(method);
    const agreed = options.showPayButton ? await options.onPayButtonClick?.() : undefined;
    const store =
      agreed?.storePaymentDetails ?? given.storePaymentDetails ?? checkout.storePaymentDetails;
    return pay(checkout, attempt, {
      start: { ...single, ...(store && { storePaymentMethod: true }) },
      elements,
      shown: now.shown,
      terms: now.terms,
      clientSecret: now.clientSecret,
      method,
      async replaced(clientSecret) {
        const { stripe } = await checkout.setup();
        mounted = await show(stripe, now.frame, now.loaded, clientSecret, options.onChange);
      },
      changed(amount) {
        const current = mounted ?? now;
        current.shown = amount;
        label(current);
      },
    });
  }

  async function getState() {
    const now = mounted?.frame.isShown() ? mounted : undefined;
    return { method: { type: now?.method ?? UNKNOWN }, complete: now?.complete ?? false };
  }

  return {
    ...mounting(checkout, LOADING_HEIGHT, fill, options.onReady),
    submit,
    async showValidation() {
      if (mounted) await mounted.elements.submit();
    },
    isValid: async () => (await getState()).complete,
    getState,
    isAvailable: () => checkout.offers(type),
  };
}

async function show(
  stripe: Stripe,
  box: Frame,
  loaded: Loaded,
  clientSecret: string | undefined,
  onChange: ComponentOptions['onChange'],
): Promise<Mounted> {
  const { config, customerSession } = loaded;
  const { captureMethod } = config;
  const amount = stripeAmount(config.cartInfo);
  const setupFutureUsage = (customerSession && config.setupFutureUsage) || null;
  const terms = { captureMethod, setupFutureUsage };
  const common = defined({
    appearance: config.appearance ?? asPage(box),
    customerSessionClientSecret: customerSession,
  });
  const elements = clientSecret
    ? stripe.elements({ ...common, clientSecret })
    : stripe.elements({
        ...common,
        mode: 'payment',
        ...amount,
        ...terms,
        ...config.methods,
      });
  const element = elements.create('payment', elementOptions(config));
  const mounted: Mounted = {
    frame: box,
    loaded,
    elements,
    element,
    clientSecret,
    shown: amount,
    terms,
    complete: false,
    method: UNKNOWN,
  };
  element.on('change', ({ complete, value: { type } }) => {
    mounted.complete = complete;
    mounted.method = type;
    onChange?.({ type, complete });
  });
  const ready = new Promise<void>((resolve, reject) => {
    element.on('ready', () => resolve());
    element.on('loaderror', ({ error }) => reject(stripeError(error)));
    box.put(element);
  });
  await Promise.race([Promise.all([ready, loadPay()]), box.removed]);
  return mounted;
}

/** Stripe's own dark theme where the page is dark: as its `color-scheme` is in force there. */
function asPage({ slot }: Frame): Appearance | undefined {
  slot.style.backgroundColor = 'light-dark(#fff,#000)';
  const dark = getComputedStyle(slot).backgroundColor === 'rgb(0, 0, 0)';
  slot.style.backgroundColor = '';
  return dark ? { theme: 'night' } : undefined;
}

function elementOptions(config: ElementConfig): StripePaymentElementOptions {
  const { paymentElementOptions, layout, collectBillingAddress } = config;
  return {
    layout: layout as unknown as LayoutObject,
    ...(collectBillingAddress !== 'auto' && {
      fields: { billingDetails: { address: collectBillingAddress } },
    }),
    ...paymentElementOptions,
  };
}
