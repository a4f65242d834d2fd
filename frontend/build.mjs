// Builds what the server ships, `chalicelib/web/static`, from these sources. The same sources give the same bytes on every machine:
// versions are pinned, nothing is hashed by time or path, and a test compares. `node build.mjs --out DIR` builds elsewhere.
import { build } from "esbuild";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as brands from "simple-icons";

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

// One picture for each provider whose file names one (`icon = "github"`), in the brand's colour; where that cannot be told from the tile behind
// it, in ink or in white. Pictures in `out` that no file names stay: a deployment may have its own.
const catalogue = resolve(here, "../chalicelib/providers/catalogue");
const TILES = { light: { ground: "ffffff", instead: "16181d" }, dark: { ground: "24282e", instead: "ffffff" } }; // the widget's, and the dashboard's
const VISIBLE = 2; // a contrast ratio; logotypes are free of WCAG's, but not of being seen
const channel = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
const luminance = (hex) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, at) => sum + weight * channel(parseInt(hex.slice(2 * at, 2 * at + 2), 16) / 255), 0);
const contrast = (one, other) => (Math.max(luminance(one), luminance(other)) + 0.05) / (Math.min(luminance(one), luminance(other)) + 0.05);
const colorOn = ({ ground, instead }, hex) => (contrast(hex, ground) < VISIBLE ? instead : hex.toLowerCase());
const picture = (path, hex) => `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="#${hex}"><path d="${path}"/></svg>\n`;

mkdirSync(out, { recursive: true });
for (const file of readdirSync(catalogue).filter((name) => name.endsWith(".toml"))) {
  const name = /^icon = "(.*)"$/m.exec(readFileSync(resolve(catalogue, file), "utf8"))?.[1];
  if (!name) continue;
  const brand = Object.values(brands).find((each) => each.slug === name);
  if (!brand) throw new Error(`${file}: simple-icons has no "${name}"`);
  const target = resolve(out, `icon-${file.replace(/\.toml$/, "")}`);
  const [light, dark] = [colorOn(TILES.light, brand.hex), colorOn(TILES.dark, brand.hex)];
  writeFileSync(`${target}.svg`, picture(brand.path, light));
  if (dark !== light) writeFileSync(`${target}.dark.svg`, picture(brand.path, dark));
}
