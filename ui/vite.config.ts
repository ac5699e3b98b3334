import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { firstPageBudget } from "./vite/firstPage.ts";
import { precompress } from "./vite/precompress.ts";

const SERVER = process.env.VEDETTE_URL ?? "http://127.0.0.1:7300";

export default defineConfig({
  plugins: [react(), firstPageBudget(300_000), precompress()],
  build: {
    outDir: fileURLToPath(new URL("../src/vedette/http/ui/built", import.meta.url)),
    emptyOutDir: true,
    target: "es2022",
    // Inlined files would need `data:` in the Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: Object.fromEntries(["/api", "/login", "/logout", "/set-password", "/-"].map((path) => [path, SERVER])),
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
