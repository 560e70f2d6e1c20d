/** Files that are loaded later. */

import { NetworkError } from './errors';

/** Throws NetworkError where the file does not come. */
export function loaded<T>(file: Promise<T>): Promise<T> {
  return file.catch((cause: unknown) => {
    const hint = 'Serve all of enabler/public, not the main file alone.';
    const details = { code: 'enabler_file', cause, hint };
    throw new NetworkError('A file of the enabler is missing.', details);
  });
}
