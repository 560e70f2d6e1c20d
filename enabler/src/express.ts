/**
 * Stripe's Express Checkout Element: wallets on any page, or on the payment page.
 *
 * A file of its own in the es build, which pages without wallets do not load. See `kit.ts`.
 */

import type {
  Appearance,
  ExpressCheckoutPaymentMethodsOption,
  LineItem,
  ShippingRate,
  Stripe,
  StripeExpressCheckoutElementConfirmEvent,
  StripeExpressCheckoutElementOptions,
  StripeExpressCheckoutElementShippingAddressChangeEvent,
  StripeExpressCheckoutElementShippingRateChangeEvent,
} from '@stripe/stripe-js';
import { expressAddress } from './address';
import type { Checkout } from './checkout';
import type { StartOptions } from './client';
import type { Fields } from './decode';
import type { Frame } from './frame';
import type { Kit } from './kit';
import type { Amount } from './money';
import type { Attempt, Ended, Terms } from './plan';
import type { ExpressAddress, ExpressOptions } from './types';

/** What differs between the buttons of a product page and those of the payment page. */
export interface Express {
  amount: Amount;
  terms: Terms;
  appearance: Appearance | undefined;
  /** Options that say what may pay, where anything restricts that. */
  methods: Fields | undefined;
  /** How the processor is asked to start the payment. */
  start: StartOptions;
  element: StripeExpressCheckoutElementOptions;
  /** The page that brings session and shipping; without it the cart is complete. */
  page: ExpressOptions | undefined;
}

const UNKNOWN_RATE = 'pending';
/** Components of one wallet, which is a card to the processor. */
const WALLETS = { applePay: true, googlePay: true };
const NO_METHODS: ExpressCheckoutPaymentMethodsOption = {
  amazonPay: 'never',
  applePay: 'never',
  googlePay: 'never',
  klarna: 'never',
  link: 'never',
  paypal: 'never',
};

/**
 * Show the buttons of `page`, which cost `amount` until there is a cart, or of the session's cart.
 *
 * Ends when they can be pressed, with whether there are any.
 */
export async function showButtons(
  kit: Kit,
  checkout: Checkout,
  box: Frame,
  type: string,
  page: ExpressOptions | undefined,
  amount: Amount | undefined,
): Promise<boolean> {
  const client = checkout.client();
  const wallet = type in WALLETS;
  const [{ stripe, config }, cart, customer] = await Promise.all([
    checkout.setup(),
    page ? undefined : client.elementConfig(type),
    checkout.options.sessionId ? client.customerSession() : undefined,
    kit.loadPay(),
  ]);
  const { captureMethod, appearance } = cart ?? config;
  const countries = page?.allowedCountries;
  return showExpress(kit, checkout, stripe, box, {
    amount: cart ? kit.stripeAmount(cart.cartInfo) : (amount as Amount),
    terms: { captureMethod, setupFutureUsage: (customer && cart?.setupFutureUsage) || null },
    methods: cart?.methods,
    appearance,
    start: {
      express: { withCustomer: !!customer },
      ...(wallet && { paymentMethodType: 'card' }),
    },
    page,
    element: {
      billingAddressRequired: cart?.collectBillingAddress !== 'never',
      shippingAddressRequired: true,
      ...(countries && { allowedShippingCountries: countries }),
      ...config.expressElementOptions,
      ...(cart && { shippingAddressRequired: false }),
      ...(wallet && { paymentMethods: { ...NO_METHODS, [type]: 'auto' } }),
    },
  });
}

function showExpress(
  { PaymentCanceled, pay, stripeError, toStripe, validate }: Kit,
  checkout: Checkout,
  stripe: Stripe,
  box: Frame,
  express: Express,
): Promise<boolean> {
  const { page } = express;
  const elements = stripe.elements({
    mode: 'payment',
    ...express.amount,
    ...express.terms,
    ...(express.appearance && { appearance: express.appearance }),
    ...express.methods,
  });
  const element = elements.create('expressCheckout', express.element);
  let shown = express.amount;
  /** Counts presses: answers to an earlier one are dropped. */
  let press = 0;
  let paying = false;
  let session: Promise<string> | undefined;

  async function show(amount: Amount): Promise<void> {
    shown = amount;
    await elements.update(amount);
  }

  /** The session of this press, asked for once. */
  function ensureSession(): Promise<string> {
    session ??= page
      ? page.onPayButtonClick().then(({ sessionId }) => sessionId)
      : Promise.resolve(checkout.options.sessionId ?? '');
    // The wallet's next question reports it.
    session.catch(() => undefined);
    return session;
  }

  async function lines(sessionId: string): Promise<LineItem[]> {
    const { totalPrice, lineItems } = await checkout.client(sessionId).expressData();
    await show(toStripe(totalPrice));
    return lineItems.map(({ name, amount }) => ({ name, amount: toStripe(amount).amount }));
  }

  /** Answer the wallet's event, unless the wallet was closed or opened again since. */
  async function answer<T>(
    event: { resolve: (details: T) => void; reject: () => void },
    find: (sessionId: string) => Promise<T | undefined>,
  ): Promise<void> {
    const asked = press;
    try {
      const found = await find(await ensureSession());
      if (asked !== press) return;
      if (found) event.resolve(found);
      else event.reject(); // nothing can be shipped there: the wallet asks for another address
    } catch (thrown) {
      if (asked !== press) return;
      session = undefined;
      event.reject();
      checkout.fail(thrown, box);
    }
  }

  element.on('click', ({ resolve }) => {
    press++;
    session = undefined;
    box.say('');
    // At once, for Stripe waits a second; the session follows.
    resolve({
      ...(express.element.shippingAddressRequired && {
        shippingRates: [
          { id: UNKNOWN_RATE, displayName: checkout.messages('shipping'), amount: 0 },
        ],
      }),
    });
    void ensureSession();
  });

  element.on('cancel', () => {
    if (paying) return;
    press++;
    session = undefined;
    void show(express.amount);
    checkout.fail(new PaymentCanceled('Wallet closed.', { code: 'canceled' }), box);
  });

  if (page) {
    element.on('shippingaddresschange', (event) => answer(event, shippingRates(page, event)));
    element.on('shippingratechange', (event) => answer(event, shippingRate(page, event)));
  }

  function shippingRates(
    host: ExpressOptions,
    { name, address: partial }: StripeExpressCheckoutElementShippingAddressChangeEvent,
  ) {
    return async (sessionId: string) => {
      const address = expressAddress({ name, address: partial }) as ExpressAddress;
      await host.onShippingAddressSelected({ address });
      const methods = [...(await host.getShippingMethods({ address }))];
      // Stripe takes the first as chosen.
      const [first] = methods.sort((a, b) => Number(!!b.isSelected) - Number(!!a.isSelected));
      if (!first) return undefined;
      await host.onShippingMethodSelected({ shippingMethod: { id: first.id } });
      const rates = methods.map(
        (method): ShippingRate => ({
          id: method.id,
          displayName: method.name,
          amount: toStripe(method.amount).amount,
          ...(method.description && { deliveryEstimate: method.description }),
        }),
      );
      return { shippingRates: rates, lineItems: await lines(sessionId) };
    };
  }

  function shippingRate(
    host: ExpressOptions,
    { shippingRate: { id } }: StripeExpressCheckoutElementShippingRateChangeEvent,
  ) {
    return async (sessionId: string) => {
      await host.onShippingMethodSelected({ shippingMethod: { id } });
      return { lineItems: await lines(sessionId) };
    };
  }

  element.on('confirm', (event) => {
    paying = true;
    void confirm(event).finally(() => {
      paying = false;
    });
  });

  async function confirm(event: StripeExpressCheckoutElementConfirmEvent): Promise<void> {
    let message: string | undefined = checkout.messages('failed');
    await checkout.attempt({
      frame: box,
      session: ensureSession,
      onComplete: page?.onComplete,
      method: () => ({ type: event.expressPaymentType }),
      async pay(attempt) {
        const ended = await payWith(attempt, event);
        message = undefined;
        return ended;
      },
      onFailure: (error) => {
        message = error.shopperMessage;
      },
    });
    // Also where another attempt was under way and this one has not been made.
    if (message) event.paymentFailed({ reason: 'fail', message });
  }

  async function payWith(
    attempt: Attempt,
    event: StripeExpressCheckoutElementConfirmEvent,
  ): Promise<Ended> {
    await validate(elements);
    const { billingDetails } = event;
    const billingAddress = expressAddress(billingDetails);
    const shippingAddress = expressAddress(
      event.shippingAddress && { ...billingDetails, ...event.shippingAddress },
    );
    const customerEmail = billingDetails?.email?.trim();
    const submitted = {
      ...(shippingAddress && { shippingAddress }),
      ...(billingAddress && { billingAddress }),
      ...(customerEmail && { customerEmail }),
    };
    if (Object.keys(submitted).length) await page?.onPaymentSubmit(submitted);
    return pay(checkout, attempt, {
      start: express.start,
      elements,
      shown,
      method: { type: event.expressPaymentType },
      terms: express.terms,
      changed(amount) {
        shown = amount;
      },
    });
  }

  return new Promise((resolve, reject) => {
    element.on('ready', ({ availablePaymentMethods }) => {
      resolve(Object.values(availablePaymentMethods ?? {}).includes(true));
    });
    element.on('loaderror', ({ error }) => reject(stripeError(error)));
    box.put(element);
  });
}
