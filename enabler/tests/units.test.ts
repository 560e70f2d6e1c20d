import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { COMPONENTS, ConnectorError, Enabler, NetworkError, UsageError } from '../src';
import { expressAddress } from '../src/address';
import { languageTag, stripeLocale } from '../src/locale';
import { messagesFor } from '../src/messages';
import { format, toStripe } from '../src/money';
import { loadStripe } from '../src/stripe';
import { PROCESSOR, World } from './world';

describe('locales', () => {
  test.each([
    [undefined, 'auto'],
    ['', 'auto'],
    ['  ', 'auto'],
    ['de', 'de'],
    ['de_AT', 'de'],
    ['DE-de', 'de'],
    ['en_gb', 'en-GB'],
    ['es-419', 'es-419'],
    ['pt-br', 'pt-BR'],
    ['zh_TW', 'zh-TW'],
    ['zh-HK', 'zh-HK'],
    ['zh-Hant', 'zh-TW'],
    ['zh-Hant-TW', 'zh-TW'],
    ['zh_Hant_HK', 'zh-HK'],
    ['zh-MO', 'zh-HK'],
    ['zh-Hans-CN', 'zh'],
    ['no', 'nb'],
    ['nn-NO', 'nb'],
    ['xx', 'auto'],
    ['not a locale', 'auto'],
  ])('%j is %s at Stripe', (locale, expected) => {
    expect(stripeLocale(locale)).toBe(expected);
  });

  test('what is no tag falls back to the browser’s', () => {
    expect(languageTag('de_AT')).toBe('de-AT');
    expect(languageTag('!')).toBe(navigator.language);
  });
});

describe('messages', () => {
  test.each([
    ['en', 'Pay €1'],
    ['de-AT', '€1 zahlen'],
    ['fr', 'Payer €1'],
    ['es', 'Pagar €1'],
    ['it', 'Paga €1'],
    ['nl', '€1 betalen'],
    ['ja', 'Pay €1'],
    ['frr', 'Pay €1'], // Frisian, not French
  ])('in %s', async (locale, expected) => {
    const messages = messagesFor(locale);
    await messages.loaded;
    expect(messages('pay', '€1')).toBe(expected);
  });

  test('are English until the language has come', async () => {
    const messages = messagesFor('de');
    expect(messages('pay', '€1')).toBe('Pay €1');
    await messages.loaded;
    expect(messages('pay', '€1')).toBe('€1 zahlen');
  });

  test('are English where the language cannot be loaded', async () => {
    const messages = messagesFor('de', () => Promise.reject(new TypeError('Failed to fetch')));
    await messages.loaded;
    expect(messages('pay', '€1')).toBe('Pay €1');
  });

  test('values are taken as they are', () => {
    expect(messagesFor('en')('pay', "$&$'")).toBe("Pay $&$'");
  });
});

describe('money', () => {
  test.each([
    [1234, 'EUR', 2, 1234],
    [1234, 'JPY', 0, 1234],
    [12340, 'KWD', 3, 12340],
    [500, 'ISK', 0, 50_000],
    [1230, 'MGA', 2, null],
    [1200, 'MGA', 2, 12],
    [1230, 'IQD', 3, 123],
    [29, 'USD', 2, 29],
  ])('%i %s of %i digits is %j at Stripe', (centAmount, currencyCode, fractionDigits, expected) => {
    const money = { centAmount, currencyCode, fractionDigits };
    if (expected === null) expect(() => toStripe(money)).toThrow(UsageError);
    else
      expect(toStripe(money)).toEqual({ amount: expected, currency: currencyCode.toLowerCase() });
  });

  test('amounts are written as the shopper writes them', () => {
    expect(format({ amount: 123456, currency: 'eur' }, 'en')).toBe('€1,234.56');
    expect(format({ amount: 1234, currency: 'jpy' }, 'en')).toBe('¥1,234');
    expect(format({ amount: 123456, currency: 'eur' }, 'de')).toMatch(/^1\.234,56\s€$/);
  });
});

describe('addresses of wallets', () => {
  test('keep their first line whole', () => {
    const address = {
      line1: '221B Baker Street',
      line2: null,
      city: 'London',
      state: '',
      postal_code: 'NW1',
      country: 'GB',
    };
    expect(
      expressAddress({ name: 'Ada King Lovelace', email: 'ada@example.com', address }),
    ).toEqual({
      country: 'GB',
      firstName: 'Ada',
      lastName: 'King Lovelace',
      streetName: '221B Baker Street',
      postalCode: 'NW1',
      city: 'London',
      email: 'ada@example.com',
    });
  });

  test('a state is the region of commercetools, under both names', () => {
    const address = { city: '', state: 'CA', postal_code: '', country: 'US' };
    expect(expressAddress({ address })).toEqual({ country: 'US', region: 'CA', state: 'CA' });
  });

  test('without a country are none', () => {
    expect(expressAddress(undefined)).toBeUndefined();
    const address = { city: '', state: '', postal_code: '', country: '' };
    expect(expressAddress({ name: 'Ada', address })).toBeUndefined();
  });
});

describe('loading Stripe.js', () => {
  const URL = 'https://stripe.example/stripe.js';
  let made: HTMLScriptElement[];

  beforeEach(() => {
    delete window.Stripe;
    made = [];
    vi.spyOn(document.head, 'append').mockImplementation((...nodes) => {
      for (const node of nodes) {
        made.push(node as HTMLScriptElement);
        // A type that is not run, so that nothing is fetched.
        (node as HTMLScriptElement).type = 'text/plain';
        document.head.appendChild(node as Node);
      }
    });
  });

  test('from the address that the processor names, with the key', async () => {
    const loading = loadStripe('pk_test_1', 'de', URL);
    expect(made.map(({ src }) => src)).toEqual([URL]);
    const constructed = vi.fn(() => 'stripe');
    window.Stripe = constructed as never;
    made[0]?.dispatchEvent(new Event('load'));
    expect(await loading).toBe('stripe');
    expect(constructed).toHaveBeenCalledWith('pk_test_1', { locale: 'de' });
    made[0]?.remove();
  });

  test('twice at once adds one script; one that failed is tried again', async () => {
    const both = Promise.allSettled([loadStripe('pk', 'auto', URL), loadStripe('pk', 'auto', URL)]);
    expect(made).toHaveLength(1);
    made[0]?.dispatchEvent(new Event('error'));
    for (const settled of await both) {
      expect(settled).toMatchObject({ status: 'rejected', reason: expect.any(NetworkError) });
    }
    const again = loadStripe('pk', 'auto', URL);
    expect(made).toHaveLength(2);
    made[1]?.dispatchEvent(new Event('error'));
    await expect(again).rejects.toMatchObject({ code: 'stripe_js' });
  });

  describe('of which the page has a script', () => {
    let theirs: HTMLScriptElement;

    beforeEach(() => {
      theirs = document.createElement('script');
      theirs.type = 'text/plain';
      theirs.src = URL;
      document.head.appendChild(theirs);
    });

    afterEach(() => theirs.remove());

    const whileThePageIs = (state: DocumentReadyState) =>
      vi.spyOn(document, 'readyState', 'get').mockReturnValue(state);

    test('joins it', async () => {
      whileThePageIs('interactive');
      const loading = loadStripe('pk_test_1', 'de', URL);
      expect(made).toEqual([]);
      window.Stripe = (() => 'stripe') as never;
      theirs.dispatchEvent(new Event('load'));
      expect(await loading).toBe('stripe');
    });

    test('does not wait for one that failed before', async () => {
      whileThePageIs('interactive');
      const loading = loadStripe('pk_test_1', 'de', URL);
      window.dispatchEvent(new Event('load'));
      await expect(loading).rejects.toMatchObject({ code: 'stripe_js' });
    });

    test('adds another where it failed and the page is complete', async () => {
      whileThePageIs('complete');
      const loading = loadStripe('pk_test_1', 'de', URL);
      expect(made).toHaveLength(1);
      made[0]?.dispatchEvent(new Event('error'));
      await expect(loading).rejects.toMatchObject({ code: 'stripe_js' });
    });
  });
});

describe('what can be built', () => {
  beforeEach(() => void new World());

  test('is exactly what the table says', async () => {
    const enabler = new Enabler({ processorUrl: PROCESSOR, sessionId: 'session-1' });
    for (const { type } of COMPONENTS.dropins)
      await enabler.createDropinBuilder(type as 'embedded');
    for (const { type } of COMPONENTS.components) await enabler.createComponentBuilder(type);
    for (const { type } of COMPONENTS.express) await enabler.createExpressBuilder(type);
    const unsupported = { name: 'UsageError', code: 'unsupported' };
    await expect(enabler.createDropinBuilder('hpp')).rejects.toMatchObject(unsupported);
    await expect(enabler.createComponentBuilder('cheque')).rejects.toMatchObject(unsupported);
    await expect(enabler.createExpressBuilder('paypal')).rejects.toMatchObject(unsupported);
  });

  test('needs a session, express apart', async () => {
    const enabler = new Enabler({ processorUrl: PROCESSOR });
    const required = { code: 'session_required' };
    await expect(enabler.createDropinBuilder('embedded')).rejects.toMatchObject(required);
    await expect(enabler.createComponentBuilder('payment')).rejects.toMatchObject(required);
    await expect(enabler.isStoredPaymentMethodsEnabled()).rejects.toMatchObject(required);
    await expect(enabler.createExpressBuilder('dropin')).resolves.toBeDefined();
  });

  test('needs a processor', () => {
    expect(() => new Enabler({ processorUrl: '' })).toThrow(ConnectorError);
  });
});
