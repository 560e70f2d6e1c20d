/** Small guards that turn JSON of unknown shape into what the types promise. */

import { type Defined, defined } from './defined';
import { UsageError } from './errors';

/** Returns the value, or throws an error that names the field, never the value. */
export type Decoder<T> = (value: unknown, name: string) => T;

export type Decoded<D> = D extends Decoder<infer T> ? T : never;

export type Fields = Record<string, unknown>;

function expect(holds: boolean, name: string): void {
  if (!holds) throw new UsageError(`${name} is malformed`, { code: 'malformed' });
}

export const text: Decoder<string> = (value, name) => {
  expect(typeof value === 'string' && value !== '', name);
  return value as string;
};

export const integer: Decoder<number> = (value, name) => {
  expect(Number.isSafeInteger(value), name);
  return value as number;
};

export const flag: Decoder<boolean> = (value, name) => {
  expect(typeof value === 'boolean', name);
  return value as boolean;
};

export const record: Decoder<Fields> = (value, name) => {
  expect(typeof value === 'object' && value !== null && !Array.isArray(value), name);
  return value as Fields;
};

/** JSON in a string, as settings of Stripe's elements come: checked by Stripe.js. */
export const json: Decoder<Fields> = (value, name) => record(JSON.parse(text(value, name)), name);

export function oneOf<const T extends string>(...allowed: readonly T[]): Decoder<T> {
  return (value, name) => {
    expect(allowed.includes(value as T), name);
    return value as T;
  };
}

export function list<T>(item: Decoder<T>): Decoder<T[]> {
  return (value, name) => {
    expect(Array.isArray(value), name);
    return (value as unknown[]).map((each) => item(each, name));
  };
}

/** `undefined` where the field is missing, null or the empty text. */
export function optional<T>(decoder: Decoder<T>): Decoder<T | undefined> {
  return (value, name) => (value == null || value === '' ? undefined : decoder(value, name));
}

/** Exactly these fields: others are left out, also from what is passed on. */
export function object<S extends Record<string, Decoder<unknown>>>(
  shape: S,
): Decoder<Defined<{ [K in keyof S]: Decoded<S[K]> }>> {
  return (value, name) => {
    const fields = record(value, name);
    const decoded = Object.entries(shape).map(([key, decoder]) => [key, decoder(fields[key], key)]);
    return defined(Object.fromEntries(decoded)) as never;
  };
}
