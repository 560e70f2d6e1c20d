import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { DropinOptions } from '../src';
import {
  AmountChanged,
  ConnectorError,
  IncompleteError,
  NetworkError,
  PaymentDeclined,
  PaymentUnfinished,
  ProcessorError,
  StripeJsError,
  UsageError,
} from '../src';
import { CARD_DECLINED, intentOf, page, refused, SESSION, World } from './world';

const DECLINED = 'Your card has insufficient funds. Nothing was charged. Please try another way.';

let world: World;

beforeEach(() => {
  sessionStorage.clear();
  world = new World();
});

async function mounted(options: DropinOptions = {}) {
  const builder = await world.enabler().createDropinBuilder('embedded');
  expect(builder.dropinHasSubmit).toBe(true);
  const dropin = builder.build(options);
  await dropin.mount('#pay');
  return dropin;
}

describe('mounting', () => {
  test('shows the cart in a deferred element and makes no payment', async () => {
    const onDropinReady = vi.fn(async () => undefined);
    await mounted({ onDropinReady });
    expect(world.stripe.last.options).toEqual({
      mode: 'payment',
      amount: 1234,
      currency: 'eur',
      captureMethod: 'automatic',
      setupFutureUsage: null,
    });
    expect(world.stripe.element.options).toEqual({ layout: { type: 'tabs' } });
    expect(world.made('POST /payments')).toEqual([]);
    expect(onDropinReady).toHaveBeenCalledOnce();
    expect(page().group?.ariaBusy).toBe('false');
  });

  test('passes on appearance, options, address collection and the customer’s session', async () => {
    world.customer = { stripeCustomerId: 'cus_1', ephemeralKey: 'ek', sessionId: 'cuss_secret' };
    world.elementConfig = {
      ...world.elementConfig,
      appearance: '{"theme":"night"}',
      paymentElementOptions: '{"readOnly":true}',
      collectBillingAddress: 'never',
      setupFutureUsage: 'off_session',
    };
    await mounted();
    expect(world.stripe.last.options).toMatchObject({
      appearance: { theme: 'night' },
      customerSessionClientSecret: 'cuss_secret',
      setupFutureUsage: 'off_session',
    });
    expect(world.stripe.element.options).toEqual({
      layout: { type: 'tabs' },
      fields: { billingDetails: { address: 'never' } },
      readOnly: true,
    });
  });

  test('saves nothing for a guest, whatever the settings say', async () => {
    world.elementConfig = { ...world.elementConfig, setupFutureUsage: 'off_session' };
    await mounted();
    expect(world.stripe.last.options['setupFutureUsage']).toBeNull();
    expect(world.stripe.last.options).not.toHaveProperty('customerSessionClientSecret');
  });

  test.each([
    ['GET /operations/config', 'config'],
    ['GET /config-element/payment', 'element'],
    ['GET /customer/session', 'customer session'],
  ])('an error of %s is no data', async (route) => {
    const answers = Array.from({ length: 4 }, () => () => refused(500, 'General'));
    world.fail(route, ...answers);
    const error = await mounted().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ProcessorError);
    expect(error).toMatchObject({
      status: 500,
      code: 'General',
      correlationId: expect.any(String),
    });
    expect(page().text).toBe('Something went wrong. Nothing was charged. Please try again.');
    expect(world.errors).toEqual([]);
  });

  test('an element that cannot be loaded rejects', async () => {
    world.stripe.loadError = { type: 'api_error', message: 'No element.' };
    await expect(mounted()).rejects.toBeInstanceOf(StripeJsError);
  });

  test('a selector that matches nothing is a mistake of the page', async () => {
    const builder = await world.enabler().createDropinBuilder('embedded');
    await expect(builder.build({}).mount('#nowhere')).rejects.toBeInstanceOf(UsageError);
  });

  test('the look is one sheet and no element, which strict policies would forbid', async () => {
    await mounted();
    await mounted();
    const rules = document.adoptedStyleSheets.flatMap((sheet) => [...sheet.cssRules]);
    const boxes = rules.filter(({ cssText }) => cssText.includes('display: grid'));
    expect(boxes).toHaveLength(1);
    expect(document.querySelector('style')).toBeNull();
  });

  test('mounting again replaces the element', async () => {
    const dropin = await mounted();
    const first = world.stripe.element;
    await dropin.mount('#pay');
    expect(first.destroyed).toBe(true);
    expect(document.querySelectorAll('#pay > *')).toHaveLength(1);
  });
});

describe('paying', () => {
  test('a card that is accepted is one success', async () => {
    const dropin = await mounted();
    world.stripe.element.emit('change', { complete: true, value: { type: 'card' } });
    await dropin.submit();
    expect(world.results).toEqual([
      {
        isSuccess: true,
        state: 'success',
        paymentReference: 'payment-1',
        method: { type: 'card' },
      },
    ]);
    expect(world.errors).toEqual([]);
    const [confirmation] = world.stripe.confirmations;
    expect(confirmation).toMatchObject({ clientSecret: 'pi_1_secret_1', redirect: 'if_required' });
    const back = new URL(confirmation?.confirmParams.return_url ?? '');
    expect(back.origin + back.pathname).toBe('https://shop.example/done');
    expect(Object.fromEntries(back.searchParams)).toEqual({
      step: '3',
      cartId: 'cart-1',
      paymentReference: 'payment-1',
    });
    const [confirmed] = world.made('POST /confirmPayments/payment-1');
    expect(confirmed?.body).toEqual({ paymentIntent: 'pi_1' });
    expect(confirmed?.headers.get('X-Session-ID')).toBe(SESSION);
  });

  test.each([
    [true, 'cart-1'],
    [undefined, 'cart-1'],
    [false, null],
  ])('the address to come back to names the cart only while it is to: %s', async (named, cart) => {
    world.started = named === undefined ? {} : { returnUrlCartId: named };
    const dropin = await mounted();
    world.stripe.element.emit('change', { complete: true, value: { type: 'card' } });
    await dropin.submit();
    const [confirmation] = world.stripe.confirmations;
    const back = new URL(confirmation?.confirmParams.return_url ?? '');
    expect(back.searchParams.get('cartId')).toBe(cart);
    expect(back.searchParams.get('paymentReference')).toBe('payment-1');
  });

  test('all calls of an attempt have one correlation id, those of the next another', async () => {
    world.bank = () => ({ error: CARD_DECLINED });
    const dropin = await mounted();
    await dropin.submit();
    world.bank = () => ({ paymentIntent: world.become({ status: 'succeeded' }) });
    await dropin.submit();
    const ids = [
      ...world.made('POST /payments'),
      ...world.made('POST /confirmPayments/payment-1'),
    ].map(({ headers }) => headers.get('X-Correlation-ID'));
    expect(ids[1]).toBe(ids[2]);
    expect(ids[0]).not.toBe(ids[1]);
    expect(world.results[0]).toMatchObject({ error: { correlationId: ids[0] } });
  });

  test('known billing details go along, empty ones do not', async () => {
    const address = { line1: 'Weg 1', line2: '', country: 'DE' };
    const billing = { name: 'Lin', phone: '', email: '', address };
    world.started = { billingAddress: JSON.stringify(billing) };
    await (await mounted()).submit();
    expect(world.stripe.confirmations[0]?.confirmParams.payment_method_data).toEqual({
      billing_details: { name: 'Lin', address },
    });
  });

  test('a payment that the bank still processes is pending', async () => {
    world.bank = () => ({ paymentIntent: world.become({ status: 'processing' }) });
    await (await mounted()).submit();
    expect(world.results).toMatchObject([{ isSuccess: true, state: 'pending' }]);
  });

  test.each([
    'multibanco_display_details',
    'pix_display_qr_code',
    'display_bank_transfer_instructions',
    'verify_with_microdeposits',
    'card_await_notification',
    'something_of_tomorrow',
  ])('%s is pending, asks the shopper to act and is reported to the processor', async (type) => {
    const onActionRequired = vi.fn(async () => undefined);
    world.bank = () => ({
      paymentIntent: world.become({
        status: 'requires_action',
        next_action: { type },
      }),
    });
    const builder = await world.enabler({ onActionRequired }).createDropinBuilder('embedded');
    const dropin = builder.build({});
    await dropin.mount('#pay');
    await dropin.submit();
    expect(world.results).toMatchObject([{ isSuccess: true, state: 'pending' }]);
    expect(onActionRequired).toHaveBeenCalledOnce();
    expect(world.made('POST /confirmPayments/payment-1')).toHaveLength(1);
  });

  test('a code that was not scanned is unfinished', async () => {
    world.bank = () => ({
      paymentIntent: world.become({
        status: 'requires_action',
        next_action: { type: 'wechat_pay_display_qr_code' },
      }),
    });
    await (await mounted()).submit();
    expect(world.results).toMatchObject([
      { isSuccess: false, state: 'failure', method: { type: 'unknown' } },
    ]);
    expect(world.results[0]).toHaveProperty('error', expect.any(PaymentUnfinished));
  });

  test('a payment that is processed already is pending, under its own reference', async () => {
    world.fail('POST /payments', () =>
      refused(409, 'PaymentProcessing', { paymentReference: 'payment-0' }),
    );
    await (await mounted()).submit();
    expect(world.results).toMatchObject([{ state: 'pending', paymentReference: 'payment-0' }]);
    expect(world.stripe.confirmations).toEqual([]);
  });
});

describe('failures', () => {
  test('a decline is one failure, with the bank’s reason, and said to the shopper', async () => {
    world.bank = () => ({ error: CARD_DECLINED });
    await (await mounted()).submit();
    expect(world.errors).toEqual([]);
    expect(world.results).toHaveLength(1);
    const [result] = world.results;
    expect(result).toMatchObject({
      isSuccess: false,
      state: 'failure',
      paymentReference: 'payment-1',
      error: {
        code: 'card_declined',
        declineCode: 'insufficient_funds',
        shopperMessage: DECLINED,
        cause: CARD_DECLINED,
      },
    });
    expect(result).toHaveProperty('error', expect.any(PaymentDeclined));
    expect(page().text).toBe(DECLINED);
    expect(document.activeElement).toBe(document.querySelector('#pay p'));
  });

  test('an authentication that was rejected is a failure', async () => {
    world.bank = () => ({
      error: {
        type: 'invalid_request_error',
        code: 'payment_intent_authentication_failure',
        message: 'We are unable to authenticate your payment method.',
        payment_intent: intentOf({}),
      },
    });
    await (await mounted()).submit();
    expect(world.results).toMatchObject([
      { isSuccess: false, error: { code: 'payment_intent_authentication_failure' } },
    ]);
  });

  test('incomplete details start no payment', async () => {
    const dropin = await mounted();
    world.stripe.last.invalid = {
      type: 'validation_error',
      code: 'incomplete_number',
      message: 'Your card number is incomplete.',
    };
    await dropin.submit();
    expect(world.made('POST /payments')).toEqual([]);
    expect(world.results).toEqual([]);
    expect(world.errors[0]?.error).toBeInstanceOf(IncompleteError);
    expect(world.errors[0]?.error.code).toBe('incomplete_number');
    expect(world.stripe.element.focused).toBe(true);
  });

  test('a cart that changed is shown again and charged only when asked again', async () => {
    const dropin = await mounted({ showPayButton: true });
    expect(page().button?.textContent).toBe('Pay €12.34');
    world.amount = 2000;
    await dropin.submit();
    expect(world.stripe.confirmations).toEqual([]);
    expect(world.results).toEqual([]);
    expect(world.errors).toHaveLength(1);
    expect(world.errors[0]?.error).toBeInstanceOf(AmountChanged);
    expect(world.errors[0]?.context).toEqual({ paymentReference: 'payment-1' });
    expect(page().text).toBe('The total is now €20.00. Nothing was charged. Please pay again.');
    expect(page().button?.textContent).toBe('Pay €20.00');
    await dropin.submit();
    expect(world.results).toMatchObject([{ state: 'success' }]);
    expect(world.stripe.confirmations).toHaveLength(1);
  });

  test('pressed twice it pays once, and both wait for the end', async () => {
    const dropin = await mounted();
    await Promise.all([dropin.submit(), dropin.submit(), dropin.submit()]);
    expect(world.stripe.confirmations).toHaveLength(1);
    expect(world.results).toHaveLength(1);
    await dropin.submit();
    expect(world.stripe.confirmations).toHaveLength(1);
    expect(world.results).toHaveLength(1);
  });

  test('an answer of Stripe that was lost is asked for again', async () => {
    world.bank = () => {
      world.become({ status: 'succeeded' });
      return { error: { type: 'api_connection_error', message: 'Lost.' } };
    };
    await (await mounted()).submit();
    expect(world.results).toMatchObject([{ state: 'success' }]);
  });

  test('without a connection to Stripe it is no decline', async () => {
    world.bank = () => ({ error: { type: 'api_connection_error', message: 'Offline.' } });
    await (await mounted()).submit();
    expect(world.results).toEqual([]);
    expect(world.errors[0]?.error).toBeInstanceOf(NetworkError);
  });

  test('a payment in another tab is found and not paid again', async () => {
    const dropin = await mounted();
    world.become({ status: 'succeeded' });
    await dropin.submit();
    expect(world.stripe.confirmations).toEqual([]);
    expect(world.results).toMatchObject([{ state: 'success' }]);
  });

  test('what is paid and not recorded is no failure, and recorded by the next attempt', async () => {
    world.fail('POST /confirmPayments/payment-1', () => refused(500, 'General'));
    const dropin = await mounted();
    await dropin.submit();
    expect(world.results).toEqual([]);
    expect(world.errors[0]?.error).toBeInstanceOf(ProcessorError);
    expect(world.errors[0]?.context).toEqual({ paymentReference: 'payment-1' });
    await dropin.submit();
    expect(world.results).toMatchObject([{ state: 'success' }]);
    expect(world.stripe.confirmations).toHaveLength(1);
    expect(world.made('POST /payments')).toHaveLength(1);
  });

  test.each([
    [409, 'AmountMismatch'],
    [400, 'PaymentMismatch'],
    [402, 'card_declined'],
  ])('a final %i %s of the processor is a failure', async (status, code) => {
    world.fail('POST /confirmPayments/payment-1', () => refused(status, code));
    await (await mounted()).submit();
    expect(world.errors).toEqual([]);
    expect(world.results).toMatchObject([
      { isSuccess: false, paymentReference: 'payment-1', error: { code } },
    ]);
  });

  test('a mistake of the integration is an error with its cause', async () => {
    world.bank = () => {
      throw new TypeError('Integration.');
    };
    await (await mounted()).submit();
    expect(world.errors[0]?.error).toMatchObject({ code: 'integration', message: 'Integration.' });
    expect(world.errors[0]?.error.cause).toBeInstanceOf(TypeError);
  });

  test('a callback that throws is the page’s error, and called once', async () => {
    const reported = vi.fn();
    vi.stubGlobal('reportError', reported);
    const onComplete = vi.fn(() => {
      throw new Error('page');
    });
    const onError = vi.fn();
    const builder = await world.enabler({ onComplete, onError }).createDropinBuilder('embedded');
    const dropin = builder.build({});
    await dropin.mount('#pay');
    await dropin.submit();
    expect(onComplete).toHaveBeenCalledOnce();
    expect(onError).not.toHaveBeenCalled();
    expect(reported).toHaveBeenCalledWith(expect.objectContaining({ message: 'page' }));
  });

  test('an expired session is said as such', async () => {
    const dropin = await mounted();
    world.fail('POST /payments', () => refused(401, 'invalid_token'));
    await dropin.submit();
    expect(page().text).toBe('Session expired. Nothing was charged. Please reload.');
  });
});

describe('the pay button', () => {
  test('asks the page first and takes the shopper’s consent', async () => {
    await mounted({
      showPayButton: true,
      onPayButtonClick: async () => ({ storePaymentDetails: true }),
    });
    page().button?.click();
    expect(page().button?.type).toBe('button');
    await vi.waitFor(() => expect(world.results).toHaveLength(1));
    expect(world.made('POST /payments')[0]?.body).toEqual({ storePaymentMethod: true });
    expect(world.stripe.last.options['setupFutureUsage']).toBe('off_session');
    expect(world.stripe.last.submits).toBe(2);
  });

  test('pays nothing where the page stops it', async () => {
    const no = new Error('Terms not accepted.');
    const dropin = await mounted({
      showPayButton: true,
      onPayButtonClick: () => Promise.reject(no),
    });
    await dropin.submit();
    expect(world.made('POST /payments')).toEqual([]);
    expect(world.errors[0]?.error).toBeInstanceOf(ConnectorError);
    expect(world.errors[0]?.error.cause).toBe(no);
  });

  test('is busy during the payment and keeps the focus', async () => {
    let decide = (): void => undefined;
    const dropin = await mounted({
      showPayButton: true,
      onPayButtonClick: () => new Promise((resolve) => (decide = () => resolve(undefined))),
    });
    const { button } = page();
    button?.focus();
    const paying = dropin.submit();
    await vi.waitFor(() => expect(button?.ariaDisabled).toBe('true'));
    expect(document.activeElement).toBe(button);
    decide();
    expect(button?.textContent).toBe('Checking with your bank');
    await paying;
    expect(button?.textContent).toBe('Paid');
    expect(button?.ariaDisabled).toBe('true');
  });

  test('is not there unless asked for', async () => {
    await mounted();
    expect(page().button).toBeNull();
  });
});

describe('intent first', () => {
  beforeEach(() => {
    world.elementConfig = { ...world.elementConfig, flowType: 'pi_first' };
  });

  test('the element is made from the cart’s one intent', async () => {
    await (await mounted()).submit();
    expect(world.stripe.last.options).toEqual({ clientSecret: 'pi_1_secret_1' });
    expect(world.results).toMatchObject([{ state: 'success' }]);
  });

  test('a changed amount is fetched by the element', async () => {
    const dropin = await mounted();
    world.amount = 2000;
    await dropin.submit();
    expect(world.errors[0]?.error).toBeInstanceOf(AmountChanged);
    expect(world.stripe.last.fetched).toBe(1);
    await dropin.submit();
    expect(world.results).toMatchObject([{ state: 'success' }]);
  });

  test('another intent gets another element', async () => {
    const dropin = await mounted();
    const first = world.stripe.element;
    world.become({ id: 'pi_2', client_secret: 'pi_2_secret_2' });
    await dropin.submit();
    expect(world.errors[0]?.error).toBeInstanceOf(AmountChanged);
    expect(first.destroyed).toBe(true);
    expect(world.stripe.last.options['clientSecret']).toBe('pi_2_secret_2');
    await dropin.submit();
    expect(world.stripe.confirmations[0]?.elements).toBe(world.stripe.last);
    expect(world.results).toMatchObject([{ state: 'success' }]);
  });
});

test('the elements get the methods that the processor allows, and the intent the same', async () => {
  const allowedPaymentMethodTypes = ['card', 'ideal'];
  const methods = JSON.stringify({ allowedPaymentMethodTypes });
  world.elementConfig = { ...world.elementConfig, methods };
  await mounted();
  expect(world.stripe.last.options).toMatchObject({ allowedPaymentMethodTypes });
});

test("a rule's configuration goes to the elements", async () => {
  const methods = JSON.stringify({ paymentMethodConfiguration: 'pmc_1' });
  world.elementConfig = { ...world.elementConfig, methods };
  await mounted();
  expect(world.stripe.last.options).toMatchObject({ paymentMethodConfiguration: 'pmc_1' });
});
