import { beforeEach, describe, expect, test, vi } from 'vitest';
import { AmountChanged, ProcessorError, UsageError } from '../src';
import { page, refused, World } from './world';

const CARD = {
  id: 'method-1',
  type: 'card',
  token: 'pm_secret',
  isDefault: true,
  createdAt: '2026-01-01T00:00:00Z',
  displayOptions: { endDigits: '4242', brand: { key: 'visa' }, expiryMonth: 4, expiryYear: 2030 },
};
const DEBIT = {
  ...CARD,
  id: 'method-2',
  type: 'sepa_debit',
  displayOptions: { endDigits: '3000' },
};

let world: World;

beforeEach(() => {
  sessionStorage.clear();
  world = new World();
  world.stored = [CARD, DEBIT];
});

async function component(options: { brands?: string[]; showPayButton?: boolean } = {}) {
  const builder = await world.enabler().createStoredPaymentMethodBuilder('card');
  expect(builder.componentHasSubmit).toBe(true);
  return builder.build({ id: 'method-1', brands: [], ...options });
}

describe('listing', () => {
  test('gives the allowed types, without tokens', async () => {
    const { token: _token, ...shown } = CARD;
    const listed = await world.enabler().getStoredPaymentMethods({ allowedMethodTypes: ['card'] });
    expect(listed).toEqual({ storedPaymentMethods: [shown] });
  });

  test('asks for nothing where stored methods are switched off', async () => {
    world.config['storedPaymentMethodsConfig'] = { isEnabled: false };
    const enabler = world.enabler();
    expect(await enabler.isStoredPaymentMethodsEnabled()).toBe(false);
    const listed = await enabler.getStoredPaymentMethods({ allowedMethodTypes: ['card'] });
    expect(listed).toEqual({ storedPaymentMethods: [] });
    expect(world.made('GET /stored-payment-methods')).toEqual([]);
    await expect(enabler.createStoredPaymentMethodBuilder('card')).rejects.toBeInstanceOf(
      UsageError,
    );
  });
});

describe('using', () => {
  test('pays without elements, for the method is in the intent', async () => {
    const stored = await component({ showPayButton: true });
    await stored.mount('#pay');
    expect(page().group?.textContent).toContain('VISA •••• 4242 04/2030');
    page().button?.click();
    await vi.waitFor(() => expect(world.results).toHaveLength(1));
    expect(world.made('POST /payments')[0]?.body).toEqual({ storedPaymentMethodId: 'method-1' });
    expect(world.stripe.confirmations[0]).not.toHaveProperty('elements');
    expect(world.results).toMatchObject([{ state: 'success', method: { type: 'card' } }]);
  });

  test('charges no other amount than was shown', async () => {
    const stored = await component({ showPayButton: true });
    await stored.mount('#pay');
    world.amount = 2000;
    await stored.submit();
    expect(world.errors[0]?.error).toBeInstanceOf(AmountChanged);
    expect(world.stripe.confirmations).toEqual([]);
    expect(page().button?.textContent).toBe('Pay €20.00');
  });

  test('is not offered where its brand is not accepted or it is gone', async () => {
    const amex = await component({ brands: ['amex'] });
    expect(await amex.isAvailable()).toBe(false);
    await expect(amex.mount('#pay')).rejects.toBeInstanceOf(UsageError);
    const visa = await component({ brands: ['visa'] });
    expect(await visa.isAvailable()).toBe(true);
    world.stored = [];
    expect(await visa.isAvailable()).toBe(false);
  });
});

describe('removing', () => {
  test('deletes it and takes it off the page', async () => {
    const stored = await component();
    await stored.mount('#pay');
    await stored.remove();
    expect(world.stored).toEqual([DEBIT]);
    expect(page().group).toBeNull();
  });

  test('rejects where that failed', async () => {
    const stored = await component();
    await stored.mount('#pay');
    world.fail('DELETE /stored-payment-methods/method-1', () => refused(500, 'General'));
    await expect(stored.remove()).rejects.toBeInstanceOf(ProcessorError);
    expect(page().group).not.toBeNull();
  });
});

test.each([
  ['by setStorePaymentDetails', true, undefined, true],
  ['with submit', false, true, true],
  ['taken back with submit', true, false, false],
])('consent given %s decides whether to store', async (_name, set, given, stores) => {
  const enabler = world.enabler();
  enabler.setStorePaymentDetails(set);
  const payment = (await enabler.createComponentBuilder('payment')).build();
  await payment.mount('#pay');
  await payment.submit(given === undefined ? {} : { storePaymentDetails: given });
  expect(world.made('POST /payments')[0]?.body).toEqual(
    stores ? { storePaymentMethod: true } : undefined,
  );
  expect(world.stripe.last.options['setupFutureUsage']).toBe(stores ? 'off_session' : null);
  expect(world.results).toMatchObject([{ state: 'success' }]);
});
