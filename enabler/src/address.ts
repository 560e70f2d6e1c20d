/** Addresses of wallets as commercetools has them. */

import type {
  BillingDetails,
  ExpressCheckoutPartialAddress,
  ShippingAddress,
} from '@stripe/stripe-js';
import { defined } from './defined';
import type { ExpressAddress } from './types';

type Address = ExpressCheckoutPartialAddress & { line1?: string; line2?: string | null };

interface Person {
  name?: string;
  email?: string | undefined;
  phone?: string | undefined;
  address?: Address;
}

/** The address without what is missing; undefined without a country, which commercetools needs. */
export function expressAddress(
  person: Person | BillingDetails | ShippingAddress | undefined,
): ExpressAddress | undefined {
  if (!person?.address?.country) return undefined;
  const { name = '', address, email, phone }: Person = person;
  const [firstName, ...rest] = name.trim().split(/\s+/);
  return defined({
    country: address.country,
    firstName: firstName || undefined,
    lastName: rest.join(' ') || undefined,
    // Whole: where the house number is differs between countries, and some lines have none.
    streetName: address.line1 || undefined,
    additionalStreetInfo: address.line2 || undefined,
    postalCode: address.postal_code || undefined,
    city: address.city || undefined,
    region: address.state || undefined,
    phone: phone || undefined,
    email: email || undefined,
  });
}
