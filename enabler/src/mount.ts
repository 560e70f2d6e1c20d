/** Mounting a component: its box, its message, and the error that the page gets. */

import type { Checkout } from './checkout';
import { UsageError } from './errors';
import { createFrame, type Frame } from './frame';

/**
 * Put a box into what `selector` finds and fill it; nothing where the payment is complete already.
 *
 * Rejects with the error, whose text the box shows.
 */
export async function mounting(
  checkout: Checkout,
  selector: string,
  minHeight: string,
  fill: (box: Frame) => Promise<void>,
): Promise<void> {
  if (await checkout.isPaid()) return;
  const box = createFrame(checkout, selector, minHeight);
  try {
    await fill(box);
    box.say((await checkout.refusal())?.shopperMessage ?? '');
  } catch (thrown) {
    throw checkout.present(thrown, box);
  } finally {
    box.show('pay');
  }
}

/** What was mounted; throws where nothing was, or where it is not in the page any more. */
export function shown<T extends { frame: Frame }>(mounted: T | undefined): T {
  if (mounted?.frame.isShown()) return mounted;
  const hint = 'Await mount() first, and mount nothing else into the same element.';
  throw new UsageError('Mount first.', { code: 'not_mounted', hint });
}
