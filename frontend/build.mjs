// Builds what the server ships, `chalicelib/web/static`, from these sources. The same sources give the same bytes on every machine:
// versions are pinned, nothing is hashed by time or path, and a test compares. `node build.mjs --out DIR` builds elsewhere.
import { build } from "esbuild";
import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const flag = process.argv.indexOf("--out");
const out = flag > 0 ? resolve(process.argv[flag + 1]) : resolve(here, "../chalicelib/web/static");

// One entry, one script (and one stylesheet, if the entry imports CSS). A folder that does not exist is skipped. `limit`: bytes, gzipped.
const entries = [
  { name: "standpipe-connections", source: "widget/src/script.ts", limit: 30_000 },
  { name: "dashboard", source: "dashboard/main.tsx", limit: 120_000 },
];

for (const { name, source, limit } of entries) {
  if (!existsSync(resolve(here, source))) continue;
  await build({
    absWorkingDir: here,
    entryPoints: { [name]: source },
    outdir: out,
    bundle: true,
    minify: true,
    format: "iife",
    target: ["es2022", "chrome111", "firefox113", "safari16.4"],
    platform: "browser",
    charset: "utf8",
    legalComments: "inline",
    jsx: "automatic",
    jsxImportSource: "preact",
    loader: { ".svg": "text" },
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "warning",
  });
  const packed = gzipSync(readFileSync(resolve(out, `${name}.js`)), { level: 9 }).length;
  console.log(`${name}.js: ${packed} bytes gzipped (limit ${limit})`);
  if (packed > limit) process.exitCode = 1;
}
