/** Where a component is in the page: its box, its message, and the error that the page gets. */

import type { Checkout } from './checkout';
import { UsageError } from './errors';
import { createFrame, type Frame } from './frame';
import type { Mountable, Place } from './types';

/**
 * The place of one component, whose box `fill` fills: nothing is shown where the payment is complete
 * already. `ready` is called when it is filled.
 *
 * A later `mount`, `unmount` or `destroy` ends a `mount` under way, which then shows nothing; one that
 * fails rejects with the error, whose text the box shows.
 */
export function mounting(
  checkout: Checkout,
  minHeight: string,
  fill: (box: Frame) => Promise<void>,
  ready?: () => Promise<void>,
): Mountable {
  let box: Frame | undefined;
  let destroyed = false;
  /** Counts changes: what was begun before an earlier one is over. */
  let turn = 0;

  function unmount(): void {
    turn++;
    box?.remove();
    box = undefined;
  }

  async function mount(place: Place): Promise<void> {
    unmount();
    const mine = turn;
    try {
      if (destroyed) {
        const hint = 'destroy() is for good: build another component, or use unmount().';
        throw new UsageError('Destroyed.', { code: 'destroyed', hint });
      }
      if ((await checkout.isPaid()) || mine !== turn) return;
      box = createFrame(checkout, place, minHeight);
      const { removed } = box;
      await Promise.race([fill(box), removed]);
      const refused = await checkout.refusal();
      if (mine === turn) box?.say(refused?.shopperMessage ?? '');
    } catch (thrown) {
      throw checkout.present(thrown, box);
    } finally {
      if (mine === turn) box?.show('pay');
    }
    if (mine === turn && box?.isShown()) await ready?.();
  }

  return {
    mount,
    unmount,
    destroy() {
      destroyed = true;
      unmount();
    },
  };
}

/** What was mounted; throws where nothing was, or where it is not in the page any more. */
export function shown<T extends { frame: Frame }>(mounted: T | undefined): T {
  if (mounted?.frame.isShown()) return mounted;
  const hint = 'Await mount() first, and mount nothing else into the same element.';
  throw new UsageError('Mount first.', { code: 'not_mounted', hint });
}
