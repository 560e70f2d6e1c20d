/** What shoppers are told when a payment does not end well: whether money moved, and what to do. */

import type { StripeError } from '@stripe/stripe-js';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { texts as de } from '../src/texts/de';
import { texts as en } from '../src/texts/en';
import { texts as es } from '../src/texts/es';
import { texts as fr } from '../src/texts/fr';
import { texts as it_ } from '../src/texts/it';
import { texts as nl } from '../src/texts/nl';
import { CARD_DECLINED, intentOf, page, refused, World } from './world';

const CONFIRM = 'POST /confirmPayments/payment-1';
const LOST: StripeError = { type: 'api_connection_error', message: 'No connection.' };

let world: World;

beforeEach(() => {
  sessionStorage.clear();
  history.replaceState(null, '', '/checkout');
  world = new World();
});

/** What is said after one attempt. */
async function said(): Promise<string> {
  vi.resetModules();
  const enabler = world.enabler({}, await import('../src'));
  const dropin = (await enabler.createDropinBuilder('embedded')).build({});
  await dropin.mount('#pay');
  await dropin.submit();
  return page().text ?? '';
}

describe('a failed attempt says whether money moved, and what to do', () => {
  test('before the confirmation nothing was charged', async () => {
    world.fail(
      'POST /payments',
      ...[1, 2, 3].map(() => (): Response => {
        throw new TypeError();
      }),
    );
    expect(await said()).toBe(en.NetworkError);
  });

  test('a confirmation without an answer may have paid', async () => {
    world.bank = () => {
      world.stripe.retrieveError = LOST;
      return { error: LOST };
    };
    expect(await said()).toBe(en.unknown);
  });

  test('what Stripe has taken is paid, although the processor does not answer', async () => {
    world.fail(CONFIRM, ...[1, 2, 3].map(() => () => refused(500, 'General')));
    expect(await said()).toBe(en.taken);
  });

  test('what the processor refuses after the confirmation is a question for the shop', async () => {
    world.fail(CONFIRM, () => refused(409, 'AmountMismatch'));
    expect(await said()).toBe(en.refused);
  });

  test('a decline tells the bank’s reason', async () => {
    world.bank = () => ({ error: CARD_DECLINED });
    expect(await said()).toBe(
      `${CARD_DECLINED.message} Nothing was charged. Please try another way.`,
    );
  });

  test('an authentication that was left is not confirmed', async () => {
    const next_action = { type: 'use_stripe_sdk' };
    const paymentIntent = intentOf({ status: 'requires_action', next_action } as never);
    world.bank = () => ({ paymentIntent });
    expect(await said()).toBe(en.PaymentUnfinished);
  });
});

const NOTHING = {
  de: 'Es wurde nichts abgebucht.',
  en: 'Nothing was charged.',
  es: 'No se ha cobrado nada.',
  fr: 'Rien n’a été débité.',
  it: 'Non è stato addebitato nulla.',
  nl: 'Er is niets afgeschreven.',
};

test.each(Object.entries({ de, en, es, fr, it: it_, nl }))('%s says it, too', (language, texts) => {
  const nothing = NOTHING[language as keyof typeof NOTHING];
  const certain = [
    texts.amountChanged,
    texts.failed,
    texts.session,
    texts.NetworkError,
    texts.PaymentDeclined,
    texts.PaymentUnfinished,
  ];
  for (const text of certain) expect(text).toContain(nothing);
  for (const text of [texts.refused, texts.taken, texts.unknown]) {
    expect(text).not.toContain(nothing);
  }
  expect(new Set(Object.values(texts)).size).toBe(Object.keys(en).length);
});
