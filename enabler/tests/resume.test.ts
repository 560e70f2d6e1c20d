import { beforeEach, describe, expect, test, vi } from 'vitest';
import { CARD_DECLINED, page, refused, World } from './world';

const DECLINED = 'Your card has insufficient funds. Nothing was charged. Please try another way.';

const KEY = 'stripe-connector-attempt';
const ATTEMPT = { clientSecret: 'pi_1_secret_1', paymentReference: 'payment-1' };

let world: World;

beforeEach(() => {
  sessionStorage.clear();
  history.replaceState(null, '', '/checkout?step=3');
  world = new World();
});

/** A page that has just been loaded knows nothing of the one before. */
async function pageLoad(): Promise<typeof import('../src')> {
  vi.resetModules();
  return import('../src');
}

/** In the tab that began the payment, or in another one, which remembers nothing. */
function comeBack(status: string, { tab = 'same' } = {}): void {
  if (tab === 'same') sessionStorage.setItem(KEY, JSON.stringify(ATTEMPT));
  const back = new URLSearchParams({
    step: '3',
    cartId: 'cart-1',
    paymentReference: 'payment-1',
    payment_intent: 'pi_1',
    payment_intent_client_secret: 'pi_1_secret_1',
    redirect_status: status,
  });
  history.replaceState(null, '', `/checkout?${back.toString()}`);
}

/** What is known of a payment that began before this page load. */
const method = { type: 'unknown' };

describe('coming back from the bank', () => {
  test.each([
    ['succeeded', 'success'],
    ['requires_capture', 'success'],
    ['processing', 'pending'],
  ] as const)('%s is reported once, and the address is cleaned', async (status, state) => {
    comeBack('succeeded');
    world.become({ status });
    const loaded = await pageLoad();
    const enabler = world.enabler({}, loaded);
    world.enabler({}, loaded);
    expect(location.search).toBe('?step=3');
    const dropin = (await enabler.createDropinBuilder('embedded')).build({});
    await dropin.mount('#pay');
    await dropin.submit();
    expect(world.results).toEqual([
      { isSuccess: true, state, paymentReference: 'payment-1', method },
    ]);
    expect(world.made('POST /confirmPayments/payment-1')).toHaveLength(1);
    expect(world.stripe.groups).toEqual([]);
    expect(sessionStorage.getItem(KEY)).toBeNull();
  });

  test('a refusal is reported, shown, and another method can be tried', async () => {
    comeBack('failed');
    world.become({
      status: 'requires_payment_method',
      last_payment_error: { ...CARD_DECLINED, payment_method: undefined } as never,
    });
    const enabler = world.enabler({}, await pageLoad());
    const dropin = (await enabler.createDropinBuilder('embedded')).build({});
    await dropin.mount('#pay');
    expect(world.results).toMatchObject([
      { isSuccess: false, paymentReference: 'payment-1', error: { code: 'card_declined' } },
    ]);
    expect(page().text).toBe(DECLINED);
    await dropin.submit();
    expect(world.results[1]).toMatchObject({ state: 'success' });
  });

  test('an error is reported and the next page load tries again', async () => {
    comeBack('succeeded');
    world.become({ status: 'succeeded' });
    world.fail('POST /confirmPayments/payment-1', () => refused(500, 'General'));
    world.enabler({}, await pageLoad());
    await vi.waitFor(() => expect(world.errors).toHaveLength(1));
    expect(world.results).toEqual([]);
    world.enabler({}, await pageLoad());
    await vi.waitFor(() => expect(world.results).toMatchObject([{ state: 'success' }]));
  });

  test('without a session the address stays for the enabler that has one', async () => {
    comeBack('succeeded');
    world.become({ status: 'succeeded' });
    const loaded = await pageLoad();
    new loaded.Enabler({ processorUrl: 'https://processor.example' });
    expect(location.search).toContain('payment_intent_client_secret');
    world.enabler({}, loaded);
    await vi.waitFor(() => expect(world.results).toHaveLength(1));
  });
});

describe('an address that this tab did not begin', () => {
  const unfinished = (type: string) => ({
    status: 'requires_action' as const,
    next_action: { type } as never,
  });
  const foreign = [
    ['paid', { status: 'succeeded' }],
    ['authorized', { status: 'requires_capture' }],
    ['being paid', { status: 'processing' }],
    ['a voucher', unfinished('boleto_display_details')],
    ['a bank transfer', unfinished('display_bank_transfer_instructions')],
    ['microdeposits', unfinished('verify_with_microdeposits')],
    ['canceled', { status: 'canceled' }],
    ['open', { status: 'requires_payment_method' }],
    [
      'declined, in words of a stranger',
      {
        status: 'requires_payment_method',
        last_payment_error: { ...CARD_DECLINED, message: 'CALL +44 900 TO PAY' } as never,
      },
    ],
  ] as const;

  test.each(foreign)('%s, of another cart, is not reported', async (_name, fields) => {
    comeBack('succeeded', { tab: 'other' });
    world.become(fields as never);
    world.fail('POST /confirmPayments/payment-1', () => refused(400, 'PaymentMismatch'));
    const enabler = world.enabler({}, await pageLoad());
    const dropin = (await enabler.createDropinBuilder('embedded')).build({});
    await dropin.mount('#pay');
    expect([world.results, world.errors]).toEqual([[], []]);
    expect(page().text).toBe('');
    expect(world.stripe.retrieved).toEqual([]);
    expect(sessionStorage.getItem(KEY)).toBeNull();
    expect(location.search).toBe('?step=3');
    world.become({
      status: 'requires_payment_method',
      last_payment_error: null,
      next_action: null,
    });
    await dropin.submit();
    expect(world.results).toMatchObject([{ state: 'success' }]);
  });

  test.each([400, 401, 403, 404, 405, 409, 422, 500])('%i is no success', async (status) => {
    comeBack('succeeded', { tab: 'other' });
    world.become({ status: 'succeeded' });
    world.fail('POST /confirmPayments/payment-1', () => refused(status, 'General'));
    const loaded = await pageLoad();
    const dropin = (await world.enabler({}, loaded).createDropinBuilder('embedded')).build({});
    await dropin.mount('#pay');
    expect([world.results, world.errors]).toEqual([[], []]);
    // Nor on a reload, or for another enabler of the page.
    world.enabler({}, loaded);
    world.enabler({}, await pageLoad());
    await dropin.mount('#pay');
    expect([world.results, world.errors]).toEqual([[], []]);
  });

  test.each([
    ['secret', { ...ATTEMPT, clientSecret: 'pi_2_secret_2' }],
    ['reference', { ...ATTEMPT, paymentReference: 'payment-2' }],
    ['shape', 'pi_1_secret_1'],
  ])('another %s in the memory makes it none of ours', async (_name, attempt) => {
    comeBack('succeeded', { tab: 'other' });
    sessionStorage.setItem(KEY, JSON.stringify(attempt));
    world.become({
      status: 'requires_action',
      next_action: { type: 'boleto_display_details' } as never,
    });
    world.fail('POST /confirmPayments/payment-1', () => refused(400, 'PaymentMismatch'));
    const enabler = world.enabler({}, await pageLoad());
    await (await enabler.createDropinBuilder('embedded')).build({}).mount('#pay');
    expect([world.results, world.errors]).toEqual([[], []]);
    expect(world.stripe.retrieved).toEqual([]);
  });

  test('is reported where the processor confirms it, as after a return in another tab', async () => {
    comeBack('succeeded', { tab: 'other' });
    world.become({ status: 'succeeded' });
    const enabler = world.enabler({}, await pageLoad());
    const dropin = (await enabler.createDropinBuilder('embedded')).build({});
    await dropin.mount('#pay');
    await dropin.submit();
    expect(world.results).toEqual([
      { isSuccess: true, state: 'success', paymentReference: 'payment-1', method },
    ]);
    expect(world.made('POST /confirmPayments/payment-1')).toHaveLength(1);
  });

  test('is reported as refused where the processor says so of this cart', async () => {
    comeBack('failed', { tab: 'other' });
    world.fail('POST /confirmPayments/payment-1', () => refused(402, 'card_declined'));
    world.enabler({}, await pageLoad());
    await vi.waitFor(() =>
      expect(world.results).toMatchObject([{ isSuccess: false, error: { code: 'card_declined' } }]),
    );
  });
});

describe('reloading', () => {
  test('an attempt is remembered while Stripe works, and forgotten at its end', async () => {
    const known: (string | null)[] = [];
    world.bank = () => {
      known.push(sessionStorage.getItem(KEY));
      return { paymentIntent: world.become({ status: 'succeeded' }) };
    };
    const enabler = world.enabler({}, await pageLoad());
    const dropin = (await enabler.createDropinBuilder('embedded')).build({});
    await dropin.mount('#pay');
    await dropin.submit();
    expect(known.map((each) => JSON.parse(each ?? 'null'))).toEqual([ATTEMPT]);
    expect(sessionStorage.getItem(KEY)).toBeNull();
  });

  test('a payment that went through meanwhile is picked up', async () => {
    sessionStorage.setItem(KEY, JSON.stringify(ATTEMPT));
    world.become({ status: 'succeeded' });
    world.enabler({}, await pageLoad());
    await vi.waitFor(() => expect(world.results).toMatchObject([{ state: 'success' }]));
  });

  test.each([
    ['one that did not', () => world.become({ status: 'requires_action' })],
    ['an old one of another cart', () => world.become({ status: 'succeeded', id: 'pi_0' })],
  ])('%s is not reported', async (_name, happen) => {
    sessionStorage.setItem(KEY, JSON.stringify(ATTEMPT));
    happen();
    world.fail('POST /confirmPayments/payment-1', () => refused(400, 'PaymentMismatch'));
    const enabler = world.enabler({}, await pageLoad());
    const dropin = (await enabler.createDropinBuilder('embedded')).build({});
    await dropin.mount('#pay');
    expect([world.results, world.errors]).toEqual([[], []]);
    expect(sessionStorage.getItem(KEY)).toBeNull();
    expect(page().text).toBe('');
    expect(world.stripe.groups).toHaveLength(1);
  });

  test('a storage that is forbidden stops no payment', async () => {
    vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
      throw new DOMException('No.', 'SecurityError');
    });
    const enabler = world.enabler({}, await pageLoad());
    const dropin = (await enabler.createDropinBuilder('embedded')).build({});
    await dropin.mount('#pay');
    await dropin.submit();
    expect(world.results).toMatchObject([{ state: 'success' }]);
  });
});
