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
/** `key` keeps an element's identity among its siblings; `value` and `checked` are only set when it is made. */
export declare function h(tag: string, attributes?: Record<string, Value>, ...children: (Child | Child[])[]): Description;
/** Makes `parent`'s children what is described. */
export declare function patch(parent: Node, described: (Description | string)[]): void;
export {};
