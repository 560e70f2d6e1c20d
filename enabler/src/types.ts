/** The enabler's public interface: what commercetools Checkout and storefronts call. */

import type { ConnectorError } from './errors';

/** An amount in commercetools' minor units, of which `fractionDigits` are decimals. */
export interface Money {
  centAmount: number;
  currencyCode: string;
  fractionDigits: number;
}

/** The method that the shopper chose, as Stripe names it (`card`, `apple_pay`, …); or `unknown`. */
export interface ChosenMethod {
  type: string;
}

/**
 * How an attempt to pay ended.
 *
 * `pending` is a payment that the bank still processes, or a voucher that the shopper still has to
 * pay. It counts as `isSuccess`: commercetools Checkout, which knows nothing else, then places the
 * order, as it must, since the shopper has done all there is to do and would otherwise pay twice.
 * Whether the money came is in the commercetools Payment later. Storefronts of your own should look
 * at `state` and ship only what is paid.
 */
export type PaymentResult =
  | {
      isSuccess: true;
      state: 'success' | 'pending';
      paymentReference: string;
      method: ChosenMethod;
    }
  | {
      isSuccess: false;
      state: 'failure';
      paymentReference?: string;
      method: ChosenMethod;
      error: ConnectorError;
    };

export type OnComplete = (result: PaymentResult) => void;

export interface EnablerOptions {
  processorUrl: string;
  /** The commercetools session; only express buttons can do without until they are pressed. */
  sessionId?: string;
  /** Such as `de-AT`; the browser's language without it. */
  locale?: string;
  countryCode?: string;
  /** The shopper has something to do that Stripe has shown, such as to pay a voucher. */
  onActionRequired?: () => Promise<void>;
  /** The attempt ended: paid, pending or refused. Called once for each attempt. */
  onComplete?: OnComplete;
  /** The attempt could not be made, or its end is unknown. Called instead of `onComplete`. */
  onError?: (error: ConnectorError, context?: { paymentReference?: string }) => void;
}

export interface SubmitOptions {
  /** The shopper agreed to have the method stored. */
  storePaymentDetails?: boolean;
}

/** Called when the pay button is pressed, before the payment; an error it throws stops the attempt. */
// biome-ignore lint/suspicious/noConfusingVoidType: pages pass functions that return nothing.
type OnPayButtonClick = () => Promise<SubmitOptions | void>;

/** What the shopper has chosen, as Stripe names it, and whether it can be submitted. */
export interface Choice {
  type: string;
  complete: boolean;
}

/** Where a component goes: what a CSS selector finds, or an element of the page. */
export type Place = string | HTMLElement;

/** What every component can do with its place in the page. */
export interface Mountable {
  /** Show it, in place of what was there; mounted again, it moves. */
  mount(place: Place): Promise<void>;
  /** Take it out of the page; it may be mounted again. An attempt under way goes on. */
  unmount(): void;
  /** Take it out of the page for good. */
  destroy(): void;
}

export interface ComponentOptions {
  /** Whenever the shopper chooses another method, or completes what they enter. */
  onChange?: (choice: Choice) => void;
  /** A payment is about to start, however it was submitted; an error it throws stops the attempt. */
  onSubmit?: (method: ChosenMethod) => Promise<void> | void;
  showPayButton?: boolean;
  onPayButtonClick?: OnPayButtonClick;
}

/** What the shopper has chosen and entered, as far as Stripe tells. */
export interface PaymentComponentState {
  method: ChosenMethod;
  complete: boolean;
  /** As in commercetools' interface; Stripe's element tells nothing of a card. */
  card?: { endDigits?: string; brand?: string; expiryDate?: string };
}

export interface PaymentComponent extends Mountable {
  /** Resolves when the attempt has ended, and never rejects: the callbacks get the outcome. */
  submit(options?: SubmitOptions): Promise<void>;
  /** Only where there are details to enter. */
  showValidation?(): Promise<void>;
  isValid?(): Promise<boolean>;
  getState?(): Promise<PaymentComponentState>;
  /** Whether the session may be paid with it. */
  isAvailable(): Promise<boolean>;
}

export interface PaymentComponentBuilder {
  /** Whether `submit()` pays; false where the component's own button must be pressed. */
  componentHasSubmit: boolean;
  build(options?: ComponentOptions): PaymentComponent;
}

export type DropinType = 'embedded' | 'hpp';

export interface DropinOptions extends ComponentOptions {
  onDropinReady?: () => Promise<void>;
}

export interface DropinComponent extends Mountable {
  /** Resolves when the attempt has ended, and never rejects: the callbacks get the outcome. */
  submit(): Promise<void>;
}

export interface PaymentDropinBuilder {
  dropinHasSubmit: boolean;
  build(options?: DropinOptions): DropinComponent;
}

export interface StoredPaymentMethod {
  id: string;
  type: string;
  isDefault: boolean;
  /** ISO 8601. */
  createdAt: string;
  displayOptions: {
    logoUrl?: string;
    endDigits?: string;
    brand?: { key: string };
    expiryMonth?: number;
    expiryYear?: number;
  };
}

export interface StoredComponentOptions {
  /** Of the stored method. */
  id: string;
  /** Card brands that may be used; any without it. */
  brands?: string[];
  showPayButton?: boolean;
  onPayButtonClick?: () => Promise<void>;
}

export interface StoredComponent extends Mountable {
  /** Resolves when the attempt has ended, and never rejects: the callbacks get the outcome. */
  submit(): Promise<void>;
  /** Delete the stored method; rejects where that failed. */
  remove(): Promise<void>;
  isAvailable(): Promise<boolean>;
}

export interface StoredComponentBuilder {
  componentHasSubmit: boolean;
  build(options: StoredComponentOptions): StoredComponent;
}

export interface ExpressAddress {
  country: string;
  firstName?: string;
  lastName?: string;
  /** The whole first line: where its number is depends on the country. */
  streetName?: string;
  streetNumber?: string;
  additionalStreetInfo?: string;
  /** As the wallet names it; `state` is the same, for clients of Stripe's enabler. */
  region?: string;
  state?: string;
  postalCode?: string;
  city?: string;
  phone?: string;
  email?: string;
}

export interface ShippingOption {
  id: string;
  name: string;
  description?: string;
  isSelected?: boolean;
  amount: Money;
}

export interface ExpressOptions {
  /** Countries to which may be shipped (ISO 3166-1, two letters); all without it. */
  allowedCountries?: string[];
  /** The amount of the buttons until there is a cart. */
  initialAmount: Money;
  /** The shopper pressed a button: the session of the cart to pay. May be called repeatedly. */
  onPayButtonClick(): Promise<{ sessionId: string }>;
  onShippingAddressSelected(selected: { address: ExpressAddress }): Promise<void>;
  getShippingMethods(selected: { address: ExpressAddress }): Promise<ShippingOption[]>;
  onShippingMethodSelected(selected: { shippingMethod: { id: string } }): Promise<void>;
  /** The shopper agreed: the full addresses and the e-mail for the cart, before it is paid. */
  onPaymentSubmit(submitted: {
    shippingAddress?: ExpressAddress;
    billingAddress?: ExpressAddress;
    customerEmail?: string;
  }): Promise<void>;
  /** Called instead of the enabler's. */
  onComplete?: OnComplete;
}

export interface ExpressComponent extends Mountable {
  /** Never rejects: `onError` gets the error. */
  mount(place: Place): Promise<void>;
}

export interface PaymentExpressBuilder {
  build(options: ExpressOptions): ExpressComponent;
}

export interface PaymentEnabler {
  createComponentBuilder(type: string): Promise<PaymentComponentBuilder>;
  /** `embedded`; others reject. */
  createDropinBuilder(type: string): Promise<PaymentDropinBuilder>;
  createStoredPaymentMethodBuilder(type: string): Promise<StoredComponentBuilder>;
  createExpressBuilder(type: string): Promise<PaymentExpressBuilder>;
  isStoredPaymentMethodsEnabled(): Promise<boolean>;
  getStoredPaymentMethods(filter: {
    allowedMethodTypes: string[];
  }): Promise<{ storedPaymentMethods?: StoredPaymentMethod[] }>;
  /** Whether the next payment's method is stored: the shopper's consent. */
  setStorePaymentDetails(enabled: boolean): void;
}
