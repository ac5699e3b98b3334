// Fails the build when the JavaScript of the first page (the entry and what it imports at once) has grown too large.

import { gzipSync } from "node:zlib";
import type { Plugin, Rolldown } from "vite";

export function firstPageBudget(maxGzippedBytes: number): Plugin {
  return {
    name: "first-page-budget",
    apply: "build",
    generateBundle(_options, bundle) {
      const chunks = new Map<string, Rolldown.OutputChunk>();
      for (const item of Object.values(bundle)) if (item.type === "chunk") chunks.set(item.fileName, item);
      const needed = new Set<string>();
      const visit = (name: string): void => {
        const chunk = chunks.get(name);
        if (!chunk || needed.has(name)) return;
        needed.add(name);
        chunk.imports.forEach(visit);
      };
      for (const chunk of chunks.values()) {
        // The start page's own chunk is loaded by route, and is part of the first page all the same.
        if (chunk.isEntry || chunk.facadeModuleId?.endsWith("/pages/home/HomePage.tsx")) visit(chunk.fileName);
      }
      let total = 0;
      for (const name of needed) total += gzipSync(chunks.get(name)?.code ?? "", { level: 9 }).length;
      const said = `JavaScript of the first page: ${Math.round(total / 1000)} kB gzipped in ${needed.size} files`;
      if (total > maxGzippedBytes) this.error(`${said}; at most ${maxGzippedBytes / 1000} kB are allowed`);
      console.log(said);
    },
  };
}
