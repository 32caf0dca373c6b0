import { defineConfig } from "vite";

export default defineConfig({
  base: "./", // the page may be served from any path
  esbuild: { jsx: "automatic", legalComments: "none", pure: ["console.info"] },
  worker: { format: "es" },
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 4096,
    reportCompressedSize: false,
    license: { fileName: "licences.md" },
  },
});
