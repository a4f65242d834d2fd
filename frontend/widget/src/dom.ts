/**
 * A description of elements, and the smallest change that makes the page look like it: focus, what was typed and what is scrolled stay.
 * Text becomes text nodes and attributes are named by us, so nothing a provider or a person wrote can become markup.
 */

type Value = string | number | boolean | null | undefined;
export interface Description {
  tag: string;
  attributes: Record<string, Value>;
  children: (Description | string)[];
}
export type Child = Description | string | null | false | undefined;

const SVG = new Set(["svg", "path", "circle"]);

/** `key` keeps an element's identity among its siblings; `value` and `checked` are only set when it is made. */
export function h(tag: string, attributes: Record<string, Value> = {}, ...children: (Child | Child[])[]): Description {
  return { tag, attributes, children: children.flat().filter((child): child is Description | string => child !== null && child !== false && child !== undefined && child !== "") };
}

const keys = new WeakMap<Node, string>();
const keyOf = (node: Description | string): string => (typeof node === "string" ? "" : `${node.tag}:${String(node.attributes["key"] ?? "")}`);

/** Makes `parent`'s children what is described. */
export function patch(parent: Node, described: (Description | string)[]): void {
  const old = new Map<string, Node[]>();
  for (const node of parent.childNodes) {
    const key = keys.get(node) ?? "";
    old.set(key, [...(old.get(key) ?? []), node]);
  }
  const matched = described.map((wanted) => old.get(keyOf(wanted))?.shift());
  // First what is gone, so that what stays need not move: an element that moves loses the focus.
  for (const gone of [...old.values()].flat()) parent.removeChild(gone);
  let place: Node | null = parent.firstChild;
  for (const [index, wanted] of described.entries()) {
    const found = matched[index];
    const node = found ?? make(wanted);
    if (typeof wanted === "string") {
      if (node.nodeValue !== wanted) node.nodeValue = wanted;
    } else {
      dress(node as Element, wanted, found === undefined);
      patch(node, wanted.children);
    }
    if (node === place) place = place.nextSibling;
    else parent.insertBefore(node, place);
  }
}

function make(wanted: Description | string): Node {
  if (typeof wanted === "string") return document.createTextNode(wanted);
  const element = SVG.has(wanted.tag) ? document.createElementNS("http://www.w3.org/2000/svg", wanted.tag) : document.createElement(wanted.tag);
  keys.set(element, keyOf(wanted));
  return element;
}

function dress(element: Element, wanted: Description, fresh: boolean): void {
  const given = new Map<string, string>();
  const live: Record<string, Value> = {};
  for (const [name, value] of Object.entries(wanted.attributes)) {
    if (name === "key" || value === null || value === undefined || value === false) continue;
    if (name === "value" || name === "checked") live[name] = value;
    else given.set(name, value === true ? "" : String(value));
  }
  // `value`: setting the property of a radio button makes the attribute.
  for (const { name } of [...element.attributes]) if (!given.has(name) && name !== "value") element.removeAttribute(name);
  for (const [name, value] of given) if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  if (fresh) Object.assign(element, live);
}
