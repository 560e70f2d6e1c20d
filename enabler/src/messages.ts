/** The enabler's own texts for shoppers; Stripe's elements have theirs. */

import { texts as english, type Texts } from './texts/en';

/** Languages beside the built-in English, each a file of its own that only its pages load. */
const LANGUAGES: Record<string, () => Promise<{ texts: Texts }>> = {
  de: () => import('./texts/de'),
  fr: () => import('./texts/fr'),
  es: () => import('./texts/es'),
  it: () => import('./texts/it'),
  nl: () => import('./texts/nl'),
};

type MessageKey = keyof Texts;

export interface Messages {
  /** The text for a key, or for a failure where there is none; where a value is given, it takes the text's empty braces' place. */
  (key: string, value?: string): string;
  /** Ends, and never rejects, when the language's own texts are there or cannot be had. */
  readonly loaded: Promise<void>;
}

/**
 * The messages for a language tag such as `de-AT`; English where there are none.
 *
 * Nothing waits for a language: until its file is loaded, and if it cannot be, texts are English.
 */
export function messagesFor(
  locale: string,
  load = LANGUAGES[locale.split('-')[0] as string],
): Messages {
  let texts: Texts = english;
  const loaded = load?.().then(
    (file) => {
      texts = file.texts;
    },
    () => undefined,
  );
  return Object.assign(
    // A function, because a value such as "$&" would be a pattern.
    (key: string, value = '') =>
      (texts[key as MessageKey] ?? texts.failed).replace('{}', () => value),
    { loaded: loaded ?? Promise.resolve() },
  );
}
