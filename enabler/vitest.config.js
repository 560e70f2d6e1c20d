import { defineConfig, mergeConfig } from 'vitest/config';
import build from './vite.config.js';

// Apart from the build's, which must do without what only testing installs.
export default mergeConfig(
  build,
  defineConfig({
    test: { environment: 'happy-dom', include: ['tests/**/*.test.ts'], restoreMocks: true },
  }),
);
