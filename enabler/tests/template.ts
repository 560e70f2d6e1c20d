/**
 * The interface that commercetools Checkout expects of an enabler, as its template for payment
 * connectors describes it (github.com/commercetools/connect-payment-integration-template, commit
 * bcb75d0 of 5 August 2026, enabler/src/payment-enabler/payment-enabler.ts). It is in no package of
 * npm, so it is stated here.
 */

export enum DropinType {
  embedded = 'embedded',
  hpp = 'hpp',
}

export interface PaymentEnabler {
  createComponentBuilder: (type: string) => Promise<PaymentComponentBuilder>;
  createDropinBuilder: (type: DropinType) => Promise<PaymentDropinBuilder>;
  createStoredPaymentMethodBuilder: (type: string) => Promise<StoredComponentBuilder>;
  createExpressBuilder: (type: string) => Promise<PaymentExpressBuilder>;
  isStoredPaymentMethodsEnabled: () => Promise<boolean>;
  getStoredPaymentMethods: (filter: {
    allowedMethodTypes: string[];
  }) => Promise<{ storedPaymentMethods?: StoredPaymentMethod[] }>;
  setStorePaymentDetails(enabled: boolean): void;
}

export type EnablerOptions = {
  processorUrl: string;
  sessionId: string;
  locale?: string;
  countryCode?: string;
  onActionRequired?: () => Promise<void>;
  onComplete?: (result: PaymentResult) => void;
  onError?: (error: unknown, context?: { paymentReference?: string }) => void;
};

export type PaymentResult =
  | { isSuccess: true; paymentReference: string }
  | { isSuccess: false; paymentReference?: string };

export interface PaymentComponentBuilder {
  componentHasSubmit?: boolean;
  build(config: ComponentOptions): PaymentComponent;
}

export type ComponentOptions = {
  showPayButton?: boolean;
  onPayButtonClick?: () => Promise<{ storePaymentDetails?: boolean }>;
};

export interface PaymentComponent {
  mount(selector: string): Promise<void>;
  submit(options: { storePaymentDetails?: boolean }): Promise<void>;
  showValidation?(): Promise<void>;
  isValid?(): Promise<boolean>;
  getState?(): Promise<{ card?: { endDigits?: string; brand?: string; expiryDate?: string } }>;
  isAvailable?(): Promise<boolean>;
}

export interface PaymentDropinBuilder {
  dropinHasSubmit: boolean;
  build(config: DropinOptions): DropinComponent;
}

export type DropinOptions = {
  showPayButton?: boolean;
  onDropinReady?: () => Promise<void>;
  onPayButtonClick?: () => Promise<void>;
};

export interface DropinComponent {
  submit(): Promise<void>;
  mount(selector: string): Promise<void>;
}

export interface StoredComponentBuilder {
  componentHasSubmit: boolean;
  build(config: StoredComponentOptions): StoredComponent;
}

export type StoredComponentOptions = {
  showPayButton?: boolean;
  onPayButtonClick?: () => Promise<void>;
  id: string;
  brands: string[];
};

export interface StoredComponent {
  submit(): Promise<void>;
  mount(selector: string): Promise<void>;
  showValidation?(): Promise<void>;
  isValid?(): Promise<boolean>;
  isAvailable?(): Promise<boolean>;
  remove(): Promise<void>;
}

export type StoredPaymentMethod = {
  id: string;
  type: string;
  createdAt: string;
  isDefault: boolean;
  displayOptions: { logoUrl?: string; [key: string]: unknown };
};

export interface PaymentExpressBuilder {
  build(config: ExpressOptions): { mount(selector: string): void };
}

export type ExpressAddress = {
  country: string;
  firstName?: string;
  lastName?: string;
  streetName?: string;
  streetNumber?: string;
  additionalStreetInfo?: string;
  region?: string;
  postalCode?: string;
  city?: string;
  phone?: string;
  email?: string;
};

export type Amount = { centAmount: number; currencyCode: string; fractionDigits: number };

export type ExpressOptions = {
  allowedCountries?: string[];
  onPayButtonClick: () => Promise<{ sessionId: string }>;
  onShippingAddressSelected: (selected: { address: ExpressAddress }) => Promise<void>;
  getShippingMethods: (selected: {
    address: ExpressAddress;
  }) => Promise<
    { id: string; name: string; description?: string; isSelected?: boolean; amount: Amount }[]
  >;
  onShippingMethodSelected: (selected: { shippingMethod: { id: string } }) => Promise<void>;
  onPaymentSubmit: (submitted: {
    shippingAddress: ExpressAddress;
    billingAddress: ExpressAddress;
  }) => Promise<void>;
  onComplete?: (result: {
    isSuccess: boolean;
    paymentReference: string;
    method: { type: string };
  }) => void;
  initialAmount: Amount;
};
