/**
 * What must outlive the page while a payment is under way: which one it is.
 *
 * A shopper may reload while Stripe works, or come back from their bank in the address bar.
 */

export interface Attempt {
  clientSecret: string;
  paymentReference: string;
}

export interface Returned extends Attempt {
  /** Whether the shopper comes back from another page, so that a refusal is news to them. */
  redirected: boolean;
  /** Whether this tab began it. Anyone can write an address, so it proves nothing alone. */
  ours: boolean;
}

let recalled = false;

const KEY = 'stripe-connector-attempt';
/** What an address has to name for `recall`, and what Stripe adds. */
export const RETURN_PARAMETERS = [
  'payment_intent',
  'payment_intent_client_secret',
  'redirect_status',
  'paymentReference',
  'cartId',
];

/** Remember an attempt until it is settled. */
export function remember({ clientSecret, paymentReference }: Attempt): void {
  const attempt: Attempt = { clientSecret, paymentReference };
  store((storage) => storage.setItem(KEY, JSON.stringify(attempt)));
}

export function forget(): void {
  store((storage) => storage.removeItem(KEY));
}

/**
 * The attempt that this page load has to pick up, once; the address is cleaned. With `again`, the
 * one whose end is still unknown.
 */
export function recall(again = false): Returned | undefined {
  const returned = fromAddress();
  let found: Returned | undefined = returned && { ...returned, redirected: true, ours: false };
  store((storage) => {
    const kept = storage.getItem(KEY);
    if (found) found.ours = kept === JSON.stringify(returned);
    // What later enablers of this page load would find is under way already.
    else if (kept && (again || !recalled))
      found = { ...JSON.parse(kept), redirected: false, ours: true };
  });
  recalled = true;
  return found;
}

function fromAddress(): Attempt | undefined {
  const url = new URL(location.href);
  const clientSecret = url.searchParams.get('payment_intent_client_secret');
  const paymentReference = url.searchParams.get('paymentReference');
  if (!clientSecret || !paymentReference) return undefined;
  for (const name of RETURN_PARAMETERS) url.searchParams.delete(name);
  history.replaceState(history.state, '', url);
  return { clientSecret, paymentReference };
}

/** Storage may be forbidden or hold anything; a payment must not fail for it. */
function store(use: (storage: Storage) => void): void {
  try {
    use(sessionStorage);
  } catch {
    // Without it a reload is not picked up here; the processor learns from Stripe anyway.
  }
}
