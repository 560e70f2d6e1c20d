/** The box around Stripe's element: name for assistive technology, live region, pay button. */

import { UsageError } from './errors';
import type { Messages } from './messages';
import { type Amount, format } from './money';

/** Texts of the pay button. */
export type Standing = 'pay' | 'checking' | 'success' | 'pending';

export interface Frame {
  /** Whether the box is in the page still; other components may have taken its place. */
  isShown(): boolean;
  /** Where Stripe's element goes. */
  slot: HTMLElement;
  /** Show a message to the shopper; `focus` where it needs an answer, `calm` where it is no fault. */
  say(message: string, focus?: boolean, calm?: boolean): void;
  /** Have the button say how things stand; only `pay` can be pressed. */
  show(standing: Standing): void;
  /** Add the pay button, or write another amount on it. */
  button(amount: Amount, onPress: () => void): void;
  remove(): void;
}

const CLASS = 'stripe-connector';
const BOX = `:where(.${CLASS})`;
const STYLE = `${BOX}{display:grid;gap:.75rem}
${BOX}>p{margin:0;color:var(--${CLASS}-error,light-dark(#b3093c,#ff8ea8))}
${BOX}>p:empty{position:absolute}
${BOX}>button{font:inherit;min-height:3rem;border:0;border-radius:var(--${CLASS}-radius,6px);background:var(--${CLASS}-accent,#5b53e8);color:var(--${CLASS}-on-accent,#fff)}
${BOX}>[aria-disabled=true]{opacity:.6}`;
let styled = false;

/** A box in what `selector` finds, in place of what was there. */
export function createFrame(
  { messages, locale }: { messages: Messages; locale: string },
  selector: string,
  minHeight: string,
): Frame {
  const container = document.querySelector(selector);
  if (!container) {
    const hint = 'Mount when the page has this element; the selector is one of CSS.';
    throw new UsageError(`No ${selector} here.`, { code: 'selector', hint });
  }
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

  return {
    isShown: () => root.isConnected,
    slot,
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
    remove: () => root.remove(),
  };
}

/** Not as an element, which strict policies forbid; any class in the shop's own rules wins. */
function addStyle(): void {
  if (styled) return;
  styled = true;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  document.adoptedStyleSheets.push(sheet);
}
