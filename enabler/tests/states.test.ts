/** The states of `src/attempts.ts`, each by what a page can observe of it. */

import { beforeEach, describe, expect, test, vi } from 'vitest';
import { CARD_DECLINED, refused, World } from './world';

const CONFIRM = 'POST /confirmPayments/payment-1';

let world: World;

beforeEach(() => {
  sessionStorage.clear();
  history.replaceState(null, '', '/checkout');
  world = new World();
});

async function pageLoad(): Promise<typeof import('../src')> {
  vi.resetModules();
  return import('../src');
}

/** As after a reload in the middle of a payment. */
function interrupted(): void {
  const attempt = { clientSecret: 'pi_1_secret_1', paymentReference: 'payment-1' };
  sessionStorage.setItem('stripe-connector-attempt', JSON.stringify(attempt));
}

async function dropin(options = {}) {
  const enabler = world.enabler(options, await pageLoad());
  return (await enabler.createDropinBuilder('embedded')).build({});
}

describe('resuming', () => {
  test('an attempt waits for it, and is not made where the payment is found paid', async () => {
    const component = await dropin();
    await component.mount('#pay');
    interrupted();
    world.become({ status: 'succeeded' });
    const { submit } = await dropin();
    await Promise.all([submit(), submit()]);
    expect(world.results).toMatchObject([{ state: 'success' }]);
    expect(world.made('POST /payments')).toEqual([]);
  });

  test('two attempts that waited for it are one, where nothing was paid', async () => {
    interrupted();
    const component = await dropin();
    await Promise.all([component.submit(), component.submit()]);
    expect(world.errors.map(({ error }) => error.code)).toEqual(['not_mounted']);
  });

  test('leads to unrecorded where the processor does not answer', async () => {
    interrupted();
    world.become({ status: 'succeeded' });
    world.fail(CONFIRM, () => refused(500, 'General'));
    const component = await dropin();
    await component.mount('#pay');
    expect(world.errors.map(({ error }) => error.code)).toEqual(['General']);
    await component.submit();
    expect(world.results).toMatchObject([{ state: 'success' }]);
    expect(world.made('POST /payments')).toEqual([]);
    expect(world.stripe.confirmations).toEqual([]);
  });
});

describe('paying', () => {
  test('leads back to open where it is refused', async () => {
    world.bank = () => ({ error: CARD_DECLINED });
    const component = await dropin();
    await component.mount('#pay');
    await component.submit();
    world.bank = () => ({ paymentIntent: world.become({ status: 'succeeded' }) });
    await component.submit();
    expect(world.results).toMatchObject([{ state: 'failure' }, { state: 'success' }]);
  });

  test('a page that submits from its callback starts no further attempt', async () => {
    world.bank = () => ({ error: CARD_DECLINED });
    const onComplete = vi.fn(() => void component.submit());
    const component = await dropin({ onComplete });
    await component.mount('#pay');
    await component.submit();
    expect(onComplete).toHaveBeenCalledOnce();
    expect(world.made('POST /payments')).toHaveLength(1);
  });

  test('a page that mounts from its callback finds the payment complete', async () => {
    const again: Promise<void>[] = [];
    const onComplete = vi.fn(() => void again.push(component.mount('#pay')));
    const component = await dropin({ onComplete });
    await component.mount('#pay');
    await component.submit();
    await Promise.all(again);
    expect(again).toHaveLength(1);
    expect(world.stripe.groups).toHaveLength(1);
  });
});

describe('unrecorded', () => {
  test('stays so until the processor answers, and pays nothing meanwhile', async () => {
    world.fail(CONFIRM, ...[500, 500].map((status) => () => refused(status, 'General')));
    const component = await dropin();
    await component.mount('#pay');
    for (const _attempt of [1, 2, 3, 4]) await component.submit();
    expect(world.errors.map(({ error }) => error.code)).toEqual(['General', 'General']);
    expect(world.results).toMatchObject([{ state: 'success' }]);
    expect(world.stripe.confirmations).toHaveLength(1);
    expect(world.made(CONFIRM)).toHaveLength(3);
  });

  test('leads to open where the processor refuses the payment', async () => {
    world.fail(
      CONFIRM,
      () => refused(500, 'General'),
      () => refused(409, 'AmountMismatch'),
    );
    const component = await dropin();
    await component.mount('#pay');
    await component.submit();
    await component.submit();
    expect(world.results).toMatchObject([{ state: 'failure', error: { code: 'AmountMismatch' } }]);
    world.become({ status: 'requires_payment_method' });
    await component.submit();
    expect(world.results[1]).toMatchObject({ state: 'success' });
    expect(world.stripe.confirmations).toHaveLength(2);
  });
});
