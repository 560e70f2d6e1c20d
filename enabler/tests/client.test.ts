import { beforeEach, describe, expect, test, vi } from 'vitest';
import { NetworkError, PaymentDeclined, ProcessorError } from '../src';
import { createClient } from '../src/client';
import { PROCESSOR, refused, SESSION, World } from './world';

let world: World;

beforeEach(() => {
  world = new World();
  // Waiting takes no time.
  vi.stubGlobal('setTimeout', (run: () => void) => queueMicrotask(run));
});

const client = () => createClient(`${PROCESSOR}//`, SESSION, 'correlation-1');
const caught = (promise: Promise<unknown>) => promise.catch((thrown: unknown) => thrown);
const offline = () => {
  throw new TypeError('Failed to fetch');
};

test('session and correlation id go with every call', async () => {
  await client().config();
  const [call] = world.calls;
  expect(call?.path).toBe('/operations/config');
  expect(call?.headers.get('X-Session-ID')).toBe(SESSION);
  expect(call?.headers.get('X-Correlation-ID')).toBe('correlation-1');
});

test('without a session there is no header of one', async () => {
  await createClient(PROCESSOR, undefined).expressConfig();
  expect(world.calls[0]?.headers.has('X-Session-ID')).toBe(false);
});

describe('repeating', () => {
  test.each([429, 502, 503, 504])('a %i is tried again', async (status) => {
    world.fail('POST /payments', () => refused(status, 'BackendError'));
    await expect(client().startPayment({})).resolves.toMatchObject({ cartId: 'cart-1' });
    expect(world.made('POST /payments')).toHaveLength(2);
  });

  test('so is a call that did not get through', async () => {
    world.fail('POST /confirmPayments/payment-1', offline, offline);
    await expect(client().confirmPayment('payment-1', 'pi_1')).resolves.toEqual({
      outcome: 'approved',
    });
  });

  test('a few times', async () => {
    world.fail('GET /operations/config', offline, offline, offline, offline);
    const error = await caught(client().config());
    expect(error).toBeInstanceOf(NetworkError);
    expect(error).toMatchObject({ code: 'network', correlationId: 'correlation-1' });
    expect((error as Error).cause).toBeInstanceOf(TypeError);
    expect(world.calls).toHaveLength(3);
  });

  test.each([400, 401, 402, 404, 409, 500])('a %i is not', async (status) => {
    world.fail('POST /payments', () => refused(status, 'Whatever'));
    await expect(client().startPayment({})).rejects.toMatchObject({ status });
    expect(world.calls).toHaveLength(1);
  });
});

describe('answers', () => {
  test('a refusal tells its code, status and reason', async () => {
    world.fail('POST /payments', () => refused(402, 'card_declined', { declineCode: 'lost_card' }));
    const error = await caught(client().startPayment({}));
    expect(error).toBeInstanceOf(PaymentDeclined);
    expect(error).toMatchObject({
      message: 'Refused: card_declined',
      code: 'card_declined',
      declineCode: 'lost_card',
      status: 402,
      correlationId: 'correlation-1',
    });
  });

  test('a proxy’s page is an error of its status', async () => {
    world.fail('GET /operations/config', () => new Response('<h1>No</h1>', { status: 500 }));
    await expect(client().config()).rejects.toMatchObject({
      name: 'ProcessorError',
      message: 'HTTP 500.',
      status: 500,
      code: 'processor',
    });
  });

  test.each([
    ['no JSON', () => new Response('hello')],
    ['no object', () => Response.json([])],
    ['a field missing', () => Response.json({})],
    ['a field of another type', () => Response.json({ publishableKey: 7 })],
  ])('with %s makes no sense', async (_name, answer) => {
    world.fail('GET /operations/config', answer);
    const error = await caught(client().config());
    expect(error).toBeInstanceOf(ProcessorError);
    expect(error).toMatchObject({ code: 'malformed', cause: expect.any(Error) });
  });

  test('204 is a guest', async () => {
    await expect(client().customerSession()).resolves.toBeUndefined();
  });

  test('a number that is no integer is no amount', async () => {
    world.amount = 12.5;
    await expect(client().elementConfig('payment')).rejects.toMatchObject({ code: 'malformed' });
  });
});

test('ids are escaped in paths', async () => {
  await client().removeStoredPaymentMethod('a/b?c');
  expect(world.calls[0]?.path).toBe('/stored-payment-methods/a%2Fb%3Fc');
});
