/** Components of one method each, and where components are in the page. */

import { beforeEach, describe, expect, test, vi } from 'vitest';
import { COMPONENTS, type ComponentOptions, type PaymentComponent } from '../src';
import { page, refused, World } from './world';

const WALLETS = ['applePay', 'googlePay'];
const METHODS = COMPONENTS.components
  .map(({ type }) => type)
  .filter((type) => ![...WALLETS, 'payment', 'expressCheckout'].includes(type));

let world: World;

beforeEach(() => {
  sessionStorage.clear();
  world = new World();
});

async function component(type: string, options: ComponentOptions = {}): Promise<PaymentComponent> {
  return (await world.enabler().createComponentBuilder(type)).build(options);
}

const boxes = () => document.querySelectorAll('.stripe-connector').length;

describe('a component of one method', () => {
  test.each(METHODS)('%s is asked for in element and intent alike', async (type) => {
    world.elementConfig['methods'] = JSON.stringify({ allowedPaymentMethodTypes: [type] });
    const single = await component(type);
    await single.mount('#pay');
    expect(world.made(`GET /config-element/${type}`)).toHaveLength(1);
    expect(world.stripe.last.options).toMatchObject({ allowedPaymentMethodTypes: [type] });
    await single.submit();
    expect(world.made('POST /payments')[0]?.body).toEqual({ paymentMethodType: type });
    expect(world.results).toMatchObject([{ state: 'success' }]);
  });

  test('keeps its method in an intent that comes first', async () => {
    world.elementConfig['flowType'] = 'pi_first';
    await (await component('blik')).mount('#pay');
    expect(world.made('POST /payments')[0]?.body).toEqual({ paymentMethodType: 'blik' });
  });

  test('is stored where the shopper agrees', async () => {
    const card = await component('card');
    await card.mount('#pay');
    await card.submit({ storePaymentDetails: true });
    expect(world.made('POST /payments')[0]?.body).toEqual({
      paymentMethodType: 'card',
      storePaymentMethod: true,
    });
  });

  test.each(WALLETS)('%s is one wallet and a card to the processor', async (type) => {
    world.elementConfig['methods'] = '{"allowedPaymentMethodTypes":["card"]}';
    await (await component(type)).mount('#pay');
    expect(world.made(`GET /config-element/${type}`)).toHaveLength(1);
    const { paymentMethods } = world.stripe.element.options as {
      paymentMethods: Record<string, string>;
    };
    const shown = Object.entries(paymentMethods).filter(([, show]) => show !== 'never');
    expect(shown).toEqual([[type, 'auto']]);
    const paymentFailed = vi.fn();
    world.stripe.element.emit('confirm', { expressPaymentType: 'google_pay', paymentFailed });
    await vi.waitFor(() => expect(world.results).toHaveLength(1));
    expect(world.made('POST /payments')[0]?.body).toEqual({ paymentMethodType: 'card' });
  });

  test.each(['payment', 'klarna', 'applePay', 'expressCheckout'])(
    '%s is not available where session, rule or account leave no method',
    async (type) => {
      world.fail(`GET /config-element/${type}`, () => refused(409, 'NoPaymentMethod'));
      expect(await (await component(type)).isAvailable()).toBe(false);
      expect(await (await component(type)).isAvailable()).toBe(true);
    },
  );

  test('does not say that it is unavailable where that is unknown', async () => {
    world.fail('GET /config-element/klarna', () => refused(401, 'invalid_token'));
    const klarna = await component('klarna');
    await expect(klarna.isAvailable()).rejects.toMatchObject({ name: 'ProcessorError' });
  });

  test('tells what was chosen, before and after it is mounted', async () => {
    const onChange = vi.fn();
    const card = await component('card', { onChange });
    const nothing = { method: { type: 'unknown' }, complete: false };
    expect(await card.getState?.()).toEqual(nothing);
    await card.mount('#pay');
    world.stripe.element.emit('change', { complete: true, value: { type: 'card' } });
    expect(await card.getState?.()).toEqual({ method: { type: 'card' }, complete: true });
    expect(onChange).toHaveBeenCalledWith({ type: 'card', complete: true });
    card.unmount();
    expect(await card.getState?.()).toEqual(nothing);
    expect(await card.isValid?.()).toBe(false);
  });

  test('tells the page of every submission, which the page can stop', async () => {
    const onSubmit = vi.fn();
    const card = await component('card', { onSubmit });
    await card.mount('#pay');
    world.stripe.element.emit('change', { complete: true, value: { type: 'card' } });
    onSubmit.mockRejectedValueOnce(new Error('Terms not accepted'));
    await card.submit();
    expect(world.errors).toMatchObject([{ error: { message: 'Terms not accepted' } }]);
    expect(world.made('POST /payments')).toEqual([]);
    await card.submit();
    expect(onSubmit).toHaveBeenLastCalledWith({ type: 'card' });
    expect(world.results).toMatchObject([{ state: 'success' }]);
  });
});

describe('the place in the page', () => {
  test('may be an element', async () => {
    const place = document.querySelector<HTMLElement>('#pay') as HTMLElement;
    await (await component('payment')).mount(place);
    expect(place.querySelector('.stripe-connector')).not.toBeNull();
  });

  test('is left by unmount, and taken again', async () => {
    const payment = await component('payment');
    await payment.mount('#pay');
    const first = world.stripe.element;
    payment.unmount();
    payment.unmount();
    expect([first.destroyed, boxes()]).toEqual([true, 0]);
    await payment.submit();
    expect(world.errors).toMatchObject([{ error: { code: 'not_mounted' } }]);
    await payment.mount('#pay');
    await payment.submit();
    expect(world.results).toMatchObject([{ state: 'success' }]);
  });

  test.each(['payment', 'expressCheckout'])('%s is destroyed with what it shows', async (type) => {
    const shown = await component(type);
    await shown.mount('#pay');
    shown.destroy();
    expect([world.stripe.element.destroyed, boxes()]).toEqual([true, 0]);
  });

  test('of a stored method is left, too', async () => {
    world.stored = [
      { id: 'm', type: 'card', isDefault: true, createdAt: '2026-01-01', displayOptions: {} },
    ];
    const builder = await world.enabler().createStoredPaymentMethodBuilder('card');
    const stored = builder.build({ id: 'm' });
    await stored.mount('#pay');
    expect(boxes()).toBe(1);
    stored.destroy();
    expect(boxes()).toBe(0);
    await expect(stored.mount('#pay')).rejects.toMatchObject({ code: 'destroyed' });
  });

  test('mounted twice at once, as frameworks do, it is shown once', async () => {
    const onDropinReady = vi.fn();
    const dropin = (await world.enabler().createDropinBuilder('embedded')).build({ onDropinReady });
    await Promise.all([dropin.mount('#pay'), dropin.mount('#pay')]);
    expect([boxes(), world.stripe.groups.length, onDropinReady.mock.calls.length]).toEqual([
      1, 1, 1,
    ]);
    await dropin.submit();
    expect(world.results).toMatchObject([{ state: 'success' }]);
  });

  test('mounted and unmounted while it loads, it is not shown', async () => {
    const payment = await component('payment', { showPayButton: true });
    const mounting = payment.mount('#pay');
    payment.unmount();
    await mounting;
    expect([boxes(), world.stripe.groups.length]).toEqual([0, 0]);
  });

  test('unmounted before Stripe shows it, mounting ends', async () => {
    world.stripe.slow = true;
    const payment = await component('payment', { showPayButton: true });
    const mounting = payment.mount('#pay');
    await vi.waitFor(() => expect(world.stripe.groups.at(-1)?.element?.mounts).toBe(1));
    payment.unmount();
    await mounting;
    expect([world.stripe.element.destroyed, boxes(), page().button]).toEqual([true, 0, null]);
  });

  test('given to another component, the former is destroyed and its mounting ends', async () => {
    world.stripe.slow = true;
    const first = await component('payment');
    const mounting = first.mount('#pay');
    await vi.waitFor(() => expect(world.stripe.groups.at(-1)?.element?.mounts).toBe(1));
    const { element } = world.stripe;
    world.stripe.slow = false;
    await (await component('card')).mount('#pay');
    await mounting;
    expect([element.destroyed, boxes()]).toEqual([true, 1]);
  });

  test('an error of a mounting that was given up is not reported', async () => {
    const payment = await component('payment');
    let refuse = () => {};
    world.fail('GET /config-element/payment', () => refused(404, 'ResourceNotFound'));
    const held = new Promise<void>((resolve) => {
      refuse = resolve;
    });
    const { fetch } = globalThis;
    vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
      if (url.includes('/config-element/')) await held;
      return fetch(url, init);
    });
    const mounting = payment.mount('#pay');
    await vi.waitFor(() => expect(boxes()).toBe(1));
    payment.unmount();
    refuse();
    await expect(mounting).resolves.toBeUndefined();
  });

  test('an element that replaces another is destroyed with the box, once', async () => {
    world.elementConfig['flowType'] = 'pi_first';
    const payment = await component('payment');
    await payment.mount('#pay');
    const before = world.stripe.element;
    world.become({ id: 'pi_2', client_secret: 'pi_2_secret_2' });
    await payment.submit();
    expect(world.errors).toMatchObject([{ error: { name: 'AmountChanged' } }]);
    const after = world.stripe.element;
    expect([before.destroyed, after.destroyed, before === after]).toEqual([true, false, false]);
    payment.destroy();
    expect(after.destroyed).toBe(true);
  });
});
