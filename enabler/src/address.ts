/** Addresses of wallets as commercetools has them. */

import type {
  BillingDetails,
  ExpressCheckoutPartialAddress,
  ShippingAddress,
} from '@stripe/stripe-js';
import type { ExpressAddress } from './types';

type Address = ExpressCheckoutPartialAddress & { line1?: string; line2?: string | null };

interface Person {
  name?: string;
  email?: string | undefined;
  phone?: string | undefined;
  address?: Address;
}

/** The address without empty fields; undefined without a country, which commercetools needs. */
export function expressAddress(
  person: Person | BillingDetails | ShippingAddress | undefined,
): ExpressAddress | undefined {
  if (!person?.address?.country) return undefined;
  const { name = '', address, email, phone }: Person = person;
  const [firstName, ...rest] = name.trim().split(/\s+/);
  const fields: { [Name in keyof ExpressAddress]: string | null | undefined } = {
    country: address.country,
    firstName,
    lastName: rest.join(' '),
    // Whole: where the house number is differs between countries, and some lines have none.
    streetName: address.line1,
    additionalStreetInfo: address.line2,
    postalCode: address.postal_code,
    city: address.city,
    region: address.state,
    state: address.state,
    phone,
    email,
  };
  return Object.fromEntries(
    Object.entries(fields).filter(([, text]) => text),
  ) as unknown as ExpressAddress;
}
