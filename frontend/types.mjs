// Checks the types of every part that exists; `npm run types`.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const compiler = resolve(here, "node_modules/typescript/bin/tsc");
for (const part of ["widget", "widget/tests", "react", "dashboard"]) {
  const project = resolve(here, part, "tsconfig.json");
  if (!existsSync(project)) continue;
  const { status } = spawnSync(process.execPath, [compiler, "-p", project], { stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
}
