/** The widget's look. Constructable, so a page's `style-src 'self'` is enough. Sizes follow the element's own width, not the window's. */
export declare const CSS: string;
/** One sheet for all elements of a page. */
export declare function styles(): CSSStyleSheet;
