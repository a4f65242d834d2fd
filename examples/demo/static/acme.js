// Acme's page. Whatever comes from users, providers and events is set as text; nothing is ever parsed as markup.

const token = document.querySelector("meta[name=csrf-token]").content;
const post = (path) => fetch(path, { method: "POST", headers: { "X-CSRF-Token": token } });

// The widget: it asks for a token of whoever is signed in here, and again before the token ends.
const connections = document.querySelector("standpipe-connections");
connections.token = async () => {
  const answer = await post("/api/widget-token");
  if (!answer.ok) throw new Error(`No widget token: ${answer.status}`);
  return answer.text();
};

function make(name, text = "", kind = "") {
  const element = document.createElement(name);
  element.textContent = text;
  if (kind) element.className = kind;
  return element;
}

// The repositories
const button = document.getElementById("list");
const result = document.getElementById("repositories");

button.addEventListener("click", async () => {
  if (button.getAttribute("aria-disabled")) return;
  button.setAttribute("aria-disabled", "true");
  result.replaceChildren(make("p", "Asking GitHub…", "soft"));
  try {
    const answer = await post("/api/repositories");
    const isJson = answer.headers.get("Content-Type").startsWith("application/json");
    const said = isJson ? await answer.json() : { text: await answer.text() };
    if (said.repositories) list(said.repositories);
    else result.replaceChildren(make("p", said.text, "notice"));
    // The widget hears of it now, and not only when somebody comes back to the page.
    if (said.error === "needs_reauthorization") connections.refresh();
  } catch {
    result.replaceChildren(make("p", "Acme does not answer. Is it still running?", "notice"));
  } finally {
    button.removeAttribute("aria-disabled");
  }
});

function list(repositories) {
  const found = make("ul", "", "repositories");
  for (const { name, private: isPrivate } of repositories) {
    const line = make("li", name);
    line.append(make("span", isPrivate ? "private" : "public", "tag"));
    found.append(line);
  }
  result.replaceChildren(repositories.length ? found : make("p", "This account has no repositories.", "soft"));
}

for (const change of ["standpipe-connected", "standpipe-disconnected"]) connections.addEventListener(change, () => result.replaceChildren());

// The events
const shown = document.getElementById("events");
const time = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hourCycle: "h23" });

function show(event) {
  const lines = [...shown.children];
  if (lines.some((line) => line.dataset.id === event.id)) return;
  const line = make("li", "", event.tone);
  line.dataset.id = event.id;
  const head = make("p", event.text, "what");
  const at = make("time", time.format(new Date(event.at)));
  at.dateTime = event.at;
  head.append(at);
  const facts = make("p", "", "facts");
  if (event.state) facts.append(make("span", event.state, "tag"));
  for (const fact of event.facts) facts.append(make("span", fact));
  const name = make("code");
  for (const part of event.event.split(/(?<=[._])/)) name.append(part, make("wbr")); // a long name breaks where its words end
  line.append(head, facts, name);
  // Ids sort as things happened, whatever came first.
  shown.insertBefore(line, lines.find((other) => other.dataset.id < event.id) ?? null);
  document.getElementById("nothing").hidden = true;
}

const told = new EventSource("/api/events");
told.addEventListener("past", (message) => JSON.parse(message.data).forEach(show));
told.addEventListener("message", (message) => {
  const event = JSON.parse(message.data);
  show(event);
  const { user, organization } = document.body.dataset;
  if (event.user === user && event.organization === organization) connections.refresh();
});
