/** For a plain `<script src>`: defines the element and leaves no global behind. */

import { define } from "./element.ts";

define();
