import { defineConfig } from 'vitest/config';

/** Properties that neither pages nor Stripe.js see, so that their names may be shortened. */
const INTERNAL =
  /^(isPaid|setup|refusal|finish|attempt|present|fail|slot|say|busy|shown|terms|changed|replaced|withCustomer|onFailure|onReady|localise|about|redirected|loaded|elementConfig|expressConfig|expressData|startPayment|removeStoredPaymentMethod)$/;

export default defineConfig({
  // `public` is where the library goes, not where static files come from.
  publicDir: false,
  build: {
    target: 'es2022',
    outDir: 'public',
    emptyOutDir: false,
    lib: {
      entry: 'src/index.ts',
      name: 'Connector',
      formats: ['es', 'umd'],
      fileName: (format) => `connector-enabler.${format}.js`,
    },
    // Vite leaves whitespace in es libraries, for bundlers to keep their hints; browsers load this.
    rolldownOptions: {
      output: {
        minify: {
          compress: true,
          mangle: { toplevel: true },
          mangleProps: { include: INTERNAL },
          codegen: { removeWhitespace: true },
        },
      },
    },
  },
  // What `npm start` serves, to pages of any origin: the library is public.
  preview: { cors: true, allowedHosts: true },
  test: { environment: 'happy-dom', include: ['tests/**/*.test.ts'], restoreMocks: true },
});
