/**
 * Not run: `npm run check` has the compiler prove that the enabler is what others expect.
 *
 * `@commercetools/connect-payments-sdk` (1.2.2) has no type of an enabler, only of processors.
 */

import type {
  ExpressCompleteAddress,
  ExpressPartialAddress,
  ExpressPaymentMountOptions,
} from '@commercetools/checkout-browser-sdk';
import { Enabler, type ExpressAddress, type ExpressOptions, type ShippingOption } from '../src';
import type * as Template from './template';

declare const enabler: Enabler;
declare const options: Template.EnablerOptions;
declare const address: ExpressAddress;

// commercetools Checkout loads the enabler, and knows it by its template.

export const built: new (options: Template.EnablerOptions) => object = Enabler;
export const made = new Enabler(options);
type Buttons = Omit<Template.ExpressOptions, 'onComplete'>;
export const offered: Omit<Template.PaymentEnabler, 'createExpressBuilder'> = enabler;
export const express: (
  type: string,
) => Promise<{ build(config: Buttons): { mount(selector: string): void } }> =
  enabler.createExpressBuilder;
export const submitted: Parameters<Template.ExpressOptions['onPaymentSubmit']>[0] = {
  shippingAddress: address,
  billingAddress: address,
};
// The one difference: the template promises express buttons a `paymentReference` always, and a
// payment that was refused before it began has none.
declare const told: Parameters<NonNullable<ExpressOptions['onComplete']>>[0];
// @ts-expect-error
export const refused: Parameters<NonNullable<Template.ExpressOptions['onComplete']>>[0] = told;

// Merchants give Checkout these callbacks by its browser SDK, and Checkout gives them to the enabler.

export const complete: ExpressCompleteAddress = address;
declare const partial: ExpressPartialAddress;
export const known: ExpressAddress = partial;
declare const method: Awaited<
  ReturnType<NonNullable<ExpressPaymentMountOptions['getShippingMethods']>>
>[number];
export const option: ShippingOption = method;
export const amount: ExpressOptions['initialAmount'] =
  {} as ExpressPaymentMountOptions['initialAmount'];
type Callbacks = Required<
  Pick<
    ExpressPaymentMountOptions,
    | 'onShippingAddressSelected'
    | 'getShippingMethods'
    | 'onShippingMethodSelected'
    | 'onPaymentSubmit'
  >
>;
declare const callbacks: Callbacks;
export const accepted: Pick<ExpressOptions, keyof Callbacks> = callbacks;
export const handed: Parameters<Callbacks['onPaymentSubmit']>[0] = {
  shippingAddress: address,
  billingAddress: address,
  customerEmail: 'ada@example.com',
};
