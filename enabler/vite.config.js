import { defineConfig } from 'vite';

export default defineConfig({
  // `public` is where the library goes, not where static files come from.
  publicDir: false,
  build: {
    target: 'es2022',
    outDir: 'public',
    emptyOutDir: true,
    lib: {
      entry: 'src/index.ts',
      name: 'Connector',
      formats: ['es', 'umd'],
      fileName: (format) => `connector-enabler.${format}.js`,
    },
    // Vite leaves whitespace in es libraries, for bundlers to keep their hints; browsers load this.
    rolldownOptions: {
      output: {
        // Beside the es build, files for each language and for express; the umd build has all inside.
        chunkFileNames: ({ name, facadeModuleId }) =>
          `connector-enabler.${facadeModuleId?.includes('/texts/') ? 'texts-' : ''}${name}.[hash].js`,
        minify: {
          compress: true,
          mangle: { toplevel: true },
          codegen: { removeWhitespace: true },
        },
      },
    },
  },
});
