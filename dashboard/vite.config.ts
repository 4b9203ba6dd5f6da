import { defineConfig } from "vite";

export default defineConfig({
  build: {
    target: "es2023",
    // Nothing is inlined: the Content-Security-Policy allows files of this origin only.
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
  },
  // `npm run dev` serves the sources beside a scheduler of `make dev`.
  server: {
    host: "127.0.0.1",
    proxy: Object.fromEntries(["/v1", "/healthz", "/openapi.json", "/problems", "/mcp"].map((path) => [path, "http://127.0.0.1:8787"])),
  },
});
