// A page of a customer's product: WorkOS's widgets as their documentation says, with the API's host as the only change.
import "@radix-ui/themes/styles.css";
import "@workos-inc/widgets/styles.css";

import { Pipes, PipesAdmin, WorkOsWidgets } from "@workos-inc/widgets";
import * as generated from "@workos-inc/widgets/experimental/api/fetch";
import { createRoot } from "react-dom/client";

const wanted = JSON.parse(document.getElementById("wanted").textContent);
const api = new URL(wanted.api);

// The product's own backend knows the person by its session; here the page's address stands for that session.
const askOwnBackend = async () => {
  const answer = await fetch(`/token${location.search}`);
  if (!answer.ok) throw new Error(await answer.text());
  return answer.text();
};

const filters = {
  none: undefined,
  slugs: { slugs: wanted.slugs },
  types: { integrationTypes: wanted.slugs },
  methods: { authMethods: wanted.slugs },
  predicate: (connection) => wanted.slugs.includes(connection.slug),
};

const Widget = wanted.widget === "pipes-admin" ? PipesAdmin : Pipes;
const properties = {
  authToken: wanted.tokens === "function" ? askOwnBackend : wanted.token,
  ...(wanted.shared ? { enableSharedConnections: true } : {}),
  ...(wanted.widget === "pipes" ? { filter: filters[wanted.filter] } : {}),
};

createRoot(document.getElementById("root")).render(
  <WorkOsWidgets apiHostname={api.hostname} port={Number(api.port)} https={api.protocol === "https:"}>
    <Widget {...properties} />
  </WorkOsWidgets>,
);

// The package's generated client has WorkOS's address written in; whoever uses it changes it in `fetch`.
const workos = "https://api.workos.com";
const realFetch = window.fetch.bind(window);
window.fetch = (input, init) => realFetch(typeof input === "string" ? input.replace(workos, api.origin) : input, init);
window.generated = generated;
