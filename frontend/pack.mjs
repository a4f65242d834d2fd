// Makes a package's `dist` before it is packed: one module and its types. Run by `npm pack` and `npm publish` inside widget/ or react/.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const folder = process.cwd();
// React's types are those of the widget, as it is published.
if (!folder.endsWith("widget")) spawnSync("npm", ["run", "--silent", "prepack"], { cwd: resolve(here, "widget"), stdio: "inherit" });
const entry = ["src/index.ts", "src/index.tsx"].find((name) => existsSync(resolve(folder, name)));
rmSync(resolve(folder, "dist"), { recursive: true, force: true });
await build({
  absWorkingDir: folder,
  entryPoints: [entry],
  outfile: "dist/index.js",
  bundle: true,
  packages: "external",
  format: "esm",
  target: "es2022",
  platform: "neutral",
  charset: "utf8",
  jsx: "automatic",
  logLevel: "warning",
});
const options = ["--noEmit", "false", "--declaration", "--emitDeclarationOnly", "--rewriteRelativeImportExtensions", "--customConditions", "null", "--rootDir", "src", "--outDir", "dist"];
const { status } = spawnSync(process.execPath, [resolve(here, "node_modules/typescript/bin/tsc"), "-p", folder, ...options], { stdio: "inherit" });
for (const name of readdirSync(resolve(folder, "dist")).filter((found) => found.endsWith(".d.ts"))) {
  const file = resolve(folder, "dist", name);
  writeFileSync(file, readFileSync(file, "utf8").replace(/(from|import) "(\.\/[^"]+)\.tsx?"/g, '$1 "$2.js"'));
}
process.exitCode = status ?? 1;
