// Bundles the unit tests of every part into a directory of their own and runs them under Node's test runner; `npm test`.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const folder = resolve(dirname(fileURLToPath(import.meta.url)), "widget/tests");
const out = mkdtempSync(join(tmpdir(), "standpipe-units-"));
const names = readdirSync(folder).filter((name) => name.endsWith(".test.ts"));
await build({ entryPoints: names.map((name) => resolve(folder, name)), outdir: out, outExtension: { ".js": ".mjs" }, bundle: true, platform: "node", format: "esm", sourcemap: "inline", logLevel: "warning" });
const { status } = spawnSync(process.execPath, ["--test", "--test-reporter=tap", ...names.map((name) => join(out, name.replace(/\.ts$/, ".mjs")))], { stdio: "inherit" });
rmSync(out, { recursive: true });
process.exitCode = status ?? 1;
