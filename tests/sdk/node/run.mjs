// Tells every story and prints what came of each, then what was seen of each method: lines of JSON.
import { RESOURCES, report, stage } from "./client.mjs";

const says = (line) => console.log(JSON.stringify(line));
const methods = RESOURCES.flatMap((resource) =>
  Object.getOwnPropertyNames(Object.getPrototypeOf(stage[resource]))
    .filter((name) => name !== "constructor" && name !== "signatureProvider")
    .map((name) => `${resource}.${name}`),
);
says({ methods, version: stage.version, node: process.version });
for (const module of ["integrations", "accounts", "told"]) {
  const { stories } = await import(`./${module}.mjs`);
  for (const [story, tell] of Object.entries(stories)) {
    const problem = await tell().then(() => "", (error) => `${error.stack}`);
    says({ story, problem });
  }
}
says({ seen: report() });
