/** The box around Stripe's element: name for assistive technology, live region, pay button. */

import { UsageError } from './errors';
import type { Messages } from './messages';
import { type Amount, format } from './money';
import type { Place } from './types';

/** Texts of the pay button. */
export type Standing = 'pay' | 'checking' | 'success' | 'pending';

export interface Frame {
  /** Whether the box is in the page still; other components may have taken its place. */
  isShown(): boolean;
  /** Ends when it has been taken away by `remove`, or by what was mounted in its place. */
  readonly removed: Promise<void>;
  /** Where Stripe's element goes. */
  slot: HTMLElement;
  /** Show an element of Stripe's, in place of an earlier one; it is destroyed with the box. */
  put(element: Held): void;
  /** Show a message to the shopper; `focus` where it needs an answer, `calm` where it is no fault. */
  say(message: string, focus?: boolean, calm?: boolean): void;
  /** Have the button say how things stand; only `pay` can be pressed. */
  show(standing: Standing): void;
  /** Add the pay button, or write another amount on it. */
  button(amount: Amount, onPress: () => void): void;
  remove(): void;
}

interface Held {
  mount(slot: HTMLElement): unknown;
  destroy(): unknown;
}

const CLASS = 'stripe-connector';
const BOX = `:where(.${CLASS})`;
const STYLE = `${BOX}{display:grid;gap:.75rem}
${BOX}>p{margin:0;color:var(--${CLASS}-error,light-dark(#b3093c,#ff8ea8))}
${BOX}>p:empty{position:absolute}
${BOX}>button{font:inherit;min-height:3rem;border:0;border-radius:var(--${CLASS}-radius,6px);background:var(--${CLASS}-accent,#5b53e8);color:var(--${CLASS}-on-accent,#fff)}
${BOX}>[aria-disabled=true]{opacity:.6}`;
let styled = false;
/** What each element of the page holds. */
const boxes = new WeakMap<Element, Frame>();

/** A box in an element of the page, in place of what was there. */
export function createFrame(
  { messages, locale }: { messages: Messages; locale: string },
  place: Place,
  minHeight: string,
): Frame {
  const container = find(place);
  if (!container?.isConnected) {
    const hint = 'Mount when the page has this element; a selector is one of CSS.';
    throw new UsageError(`No ${place} here.`, { code: 'selector', hint });
  }
  boxes.get(container)?.remove();
  addStyle();
  const root = document.createElement('div');
  root.className = CLASS;
  root.role = 'group';
  root.ariaBusy = 'true';
  const slot = document.createElement('div');
  // So that the page does not jump when Stripe's element appears.
  slot.style.minHeight = minHeight;
  const message = document.createElement('p');
  message.tabIndex = -1;
  root.append(slot, message);
  container.replaceChildren(root);

  let held: Held | undefined;
  let gone: () => void;
  const removed = new Promise<void>((resolve) => {
    gone = resolve;
  });
  let button: HTMLButtonElement | undefined;
  let price: Amount | undefined;
  let state: Standing = 'pay';
  function label(): void {
    root.ariaLabel = messages('payment');
    if (button && price) {
      button.textContent = messages(state, format(price, locale));
      // Not `disabled`: that would take the focus away from who has just pressed it.
      button.ariaDisabled = `${state !== 'pay'}`;
    }
  }
  label();
  void messages.loaded.then(label);

  const frame: Frame = {
    isShown: () => root.isConnected,
    removed,
    slot,
    put(element) {
      held?.destroy();
      held = element;
      element.mount(slot);
    },
    say(text, focus, calm) {
      message.role = calm ? 'status' : 'alert';
      message.textContent = text;
      if (text && focus) message.focus();
    },
    show(next) {
      state = next;
      root.ariaBusy = `${next === 'checking'}`;
      slot.style.minHeight = '';
      label();
    },
    button(amount, onPress) {
      if (!button) {
        button = document.createElement('button');
        button.type = 'button';
        button.onclick = onPress;
        root.append(button);
      }
      price = amount;
      label();
    },
    remove() {
      held?.destroy();
      held = undefined;
      root.remove();
      gone();
    },
  };
  boxes.set(container, frame);
  return frame;
}

function find(place: Place): Element | null {
  try {
    return typeof place === 'string' ? document.querySelector(place) : place;
  } catch {
    return null; // no selector at all
  }
}

/** Not as an element, which strict policies forbid; any class in the shop's own rules wins. */
function addStyle(): void {
  if (styled) return;
  styled = true;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  document.adoptedStyleSheets.push(sheet);
}
