/** What a person does in the widget, brought to the controller. One listener for all: elements say by `data-act` what they are for. */

import type { Controller } from "./controller.ts";
import type { AuthMethod } from "./wire.ts";

/** `load`: the list is to be loaded again. */
export function hear(event: Event, controller: Controller | null, load: () => void): void {
  const target = event.target instanceof Element ? event.target : null;
  if (event.type === "submit") event.preventDefault(); // never sent by the browser, whatever state we are in
  if (target === null || controller === null) return;
  if (event.type === "submit") {
    submitted(target as HTMLFormElement, controller);
  } else if (event.type === "cancel") {
    event.preventDefault();
    controller.close();
  } else if (event.type === "input" && target.matches('[data-input="query"]')) {
    controller.set({ query: (target as HTMLInputElement).value });
  } else if (event.type === "change" && target.matches('[data-input="method"]')) {
    controller.choose((target as HTMLInputElement).value as AuthMethod);
  } else if (event.type === "click") {
    if (target instanceof HTMLDialogElement) controller.close(); // its backdrop: what is inside has elements of its own
    else clicked(target.closest<HTMLElement>("[data-act]"), controller, load);
  }
}

function clicked(pressed: HTMLElement | null, controller: Controller, load: () => void): void {
  const { act, slug = "", account, field = "" } = pressed?.dataset ?? {};
  if (pressed === null || pressed.getAttribute("aria-disabled") === "true") return;
  if (act === "connect" || act === "reauthorize") controller.begin(slug, account ?? null);
  else if (act === "disconnect") controller.askToDisconnect(slug, account ?? "");
  else if (act === "cancel-trip") controller.trips.stop();
  else if (act === "retry") load();
  else if (act === "dismiss") controller.set({ notice: null });
  else if (act === "close") controller.close();
  else if (act === "reveal") controller.reveal(field);
  else if (act === "tab") setTimeout(() => void controller.trips.follow()); // after the browser followed the link
  else if (act === "same-tab") void controller.trips.leave();
}

function submitted(form: HTMLFormElement, controller: Controller): void {
  if (form.dataset["form"] === "disconnect") void controller.disconnect();
  if (form.dataset["form"] !== "connect") return;
  const inputs = [...form.querySelectorAll<HTMLInputElement>("input.input")];
  const wrong = controller.submit(Object.fromEntries(inputs.map((input) => [input.name, input.value.trim()])));
  inputs.find((input) => input.name === wrong)?.focus();
}
