/** The list of a customer's stored payment methods. */

import { type Checkout, requireSession } from './checkout';
import type { StoredPaymentMethod } from './types';

/** The customer's stored methods; none where they are switched off or the shopper is a guest. */
export async function storedMethods(checkout: Checkout): Promise<StoredPaymentMethod[]> {
  requireSession(checkout.options);
  const { config } = await checkout.setup();
  return config.storedPaymentMethodsConfig.isEnabled
    ? (await checkout.client().storedPaymentMethods()).storedPaymentMethods
    : [];
}
