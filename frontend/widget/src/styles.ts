/** The widget's look. Constructable, so a page's `style-src 'self'` is enough. Sizes follow the element's own width, not the window's. */

const LIGHT = `--_background: #fff; --_raised: #fff; --_text: #16181d; --_muted: #596170; --_border: #e0e3e8; --_strong: #8a919d; --_hover: #f4f5f7; --_tint: #f8f9fa; --_bone: #eaecf0;
  --_accent: #1c5dd8; --_accent-text: #fff; --_good: #146c43; --_good-ground: #e8f5ee; --_warn: #7d4500; --_warn-ground: #fdf3e1; --_bad: #b02318; --_bad-ground: #fdeeec;
  --_danger: #c0281c; --_danger-text: #fff; --_shade: rgb(16 20 28 / 45%); --_picture: #fff;`;
const DARK = `--_background: #16181c; --_raised: #1d2025; --_text: #eceef1; --_muted: #a6aeb9; --_border: #30353d; --_strong: #7a828e; --_hover: #24282e; --_tint: #1b1e22; --_bone: #2b2f36;
  --_accent: #7ba6ff; --_accent-text: #0b1630; --_good: #55cc91; --_good-ground: #14291f; --_warn: #f4bb63; --_warn-ground: #2d2413; --_bad: #ff9386; --_bad-ground: #331b18;
  --_danger: #ff8072; --_danger-text: #2b0a06; --_shade: rgb(0 0 0 / 62%); --_picture: #24282e;`;
const OWN = ["background", "text", "muted", "border", "accent", "accent-text", "danger"];

/** The host's own colours win over both themes. */
const own = OWN.map((name) => `--_sp-${name}: var(--standpipe-${name}, var(--_${name}));`).join(" ");

export const CSS = `
:host { ${LIGHT} color-scheme: light; }
:host([theme="dark"]) { ${DARK} color-scheme: dark; }
@media (prefers-color-scheme: dark) { :host(:not([theme="light"])) { ${DARK} color-scheme: dark; } }
:host { display: block; min-width: 0; text-align: start; }
:host([hidden]) { display: none; }
.root, dialog { ${own} --_radius: var(--standpipe-radius, 12px); --_small: calc(var(--_radius) * .66); color: var(--_sp-text); font: 400 var(--standpipe-font-size, 15px)/1.5 var(--standpipe-font, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif); }
.root { container-type: inline-size; -webkit-font-smoothing: antialiased; }
*, *::before, *::after { box-sizing: border-box; }
h1, h2, h3, h4, h5, h6, p, ul, fieldset { margin: 0; padding: 0; border: 0; min-width: 0; }
ul { list-style: none; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.icon { width: 1.15em; height: 1.15em; flex: none; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
.quiet, .facts, .hint, .description { color: var(--_sp-muted); font-size: .9em; line-height: 1.45; overflow-wrap: anywhere; }

.providers { border: 1px solid var(--_sp-border); border-radius: var(--_radius); background: var(--_sp-background); }
.provider + .provider { border-top: 1px solid var(--_sp-border); }
.head { display: flex; align-items: center; gap: 14px; padding: 14px 16px; }
.about { flex: 1; min-width: 0; }
.name { font-size: 1em; font-weight: 600; line-height: 1.35; overflow-wrap: anywhere; border-radius: 4px; }
.side { display: flex; align-items: center; gap: 12px; flex: none; }
.picture { width: 40px; height: 40px; flex: none; display: grid; place-items: center; border-radius: var(--_small); border: 1px solid var(--_sp-border); background: var(--_picture); overflow: hidden; }
.picture img { width: 24px; height: 24px; object-fit: contain; }
.letter { border-color: transparent; font-size: 1.05em; font-weight: 700; color: hsl(var(--_hue) 60% 26%); background: hsl(var(--_hue) 70% 93%); }
.hue0 { --_hue: 217; } .hue1 { --_hue: 262; } .hue2 { --_hue: 328; } .hue3 { --_hue: 18; } .hue4 { --_hue: 152; } .hue5 { --_hue: 190; }

.state { display: inline-flex; align-items: center; gap: 4px; font-size: .82em; font-weight: 500; line-height: 1.5; white-space: nowrap; border-radius: 99px; padding: 1px 9px 1px 7px; }
.state .icon { width: 1em; height: 1em; stroke-width: 2.6; }
.state.good { color: var(--_good); background: var(--_good-ground); }
.state.bad { color: var(--_bad); background: var(--_bad-ground); }
.state.warn { color: var(--_warn); background: var(--_warn-ground); }
.state.none { color: var(--_sp-muted); padding: 0; font-weight: 400; font-size: .9em; }

.accounts { margin: 0 16px 14px; margin-inline-start: 70px; border: 1px solid var(--_sp-border); border-radius: var(--_small); background: var(--_tint); }
.account + .account { border-top: 1px solid var(--_sp-border); }
.account { padding: 9px 12px; }
.line { display: flex; align-items: center; gap: 8px 12px; }
.who { flex: 1; min-width: 0; }
.account-name { display: flex; flex-wrap: wrap; align-items: center; gap: 2px 8px; font-weight: 500; overflow-wrap: anywhere; }
.account-name bdi { min-width: 0; }
.facts { display: flex; flex-wrap: wrap; gap: 0 6px; font-size: .87em; }
.facts span:not(:last-child)::after { content: "·" / ""; margin-inline-start: 6px; }
.acts { display: flex; align-items: center; gap: 4px; flex: none; }

.button { display: inline-flex; align-items: center; justify-content: center; gap: 7px; min-height: 36px; padding: 6px 14px; border: 1px solid transparent; border-radius: var(--_small); background: none; color: var(--_sp-text); font: inherit; font-size: .94em; font-weight: 500; line-height: 1.3; text-align: center; text-decoration: none; cursor: pointer; transition: background-color .12s, border-color .12s, filter .12s; }
.button.plain { border-color: var(--_sp-border); background: var(--_sp-background); box-shadow: 0 1px 1px rgb(16 20 28 / 4%); }
.button.plain:hover, .button.quiet:hover { background: var(--_hover); }
.button.plain:hover { border-color: var(--_strong); }
.button.quiet { color: var(--_sp-muted); padding-inline: 10px; }
.button.quiet:hover { color: var(--_sp-text); }
.button.primary { background: var(--_sp-accent); color: var(--_sp-accent-text); }
.button.danger { background: var(--_sp-danger); color: var(--_danger-text); }
.button.primary:hover, .button.danger:hover { filter: brightness(1.08); }
.button[aria-disabled="true"] { cursor: default; }
.button.plain[aria-disabled="true"] { color: var(--_sp-muted); background: none; border-color: var(--_sp-border); box-shadow: none; }
:focus-visible { outline: 2px solid var(--_sp-accent); outline-offset: 2px; }
.name:focus, h2:focus { outline: none; }
.spinner { width: 1em; height: 1em; flex: none; border: 2px solid currentColor; border-inline-end-color: transparent; border-radius: 50%; animation: turn .8s linear infinite; }
@keyframes turn { to { transform: rotate(1turn); } }

.notice { display: flex; gap: 9px; align-items: flex-start; flex: 1; min-width: 0; padding: 9px 12px; border-radius: var(--_small); font-size: .93em; line-height: 1.45; }
.notice p { overflow-wrap: anywhere; min-width: 0; }
.notice .icon { margin-top: .15em; }
.notice.good { color: var(--_good); background: var(--_good-ground); }
.notice.warn { color: var(--_warn); background: var(--_warn-ground); }
.notice.bad { color: var(--_bad); background: var(--_bad-ground); }
.account .notice { margin-top: 9px; }
.news { position: relative; margin-bottom: 12px; }
.news .notice { padding-inline-end: 46px; }
.news .dismiss { position: absolute; inset-block-start: 4px; inset-inline-end: 4px; }
.dismiss { display: grid; place-items: center; width: 32px; height: 32px; flex: none; padding: 0; border: 0; border-radius: var(--_small); background: none; color: var(--_sp-muted); font: inherit; cursor: pointer; }
.dismiss:hover { background: var(--_hover); color: var(--_sp-text); }
.news .dismiss:hover { background: none; }
.banner { display: flex; align-items: center; gap: 8px; margin-bottom: 12px; }
.waiting { display: flex; gap: 8px; align-items: center; margin: -4px 16px 14px; padding: 9px 12px; border-radius: var(--_small); background: var(--_tint); color: var(--_sp-muted); font-size: .93em; margin-inline-start: 70px; }
.account .waiting { margin: 9px 0 0; padding: 0; background: none; }

.search { position: relative; margin-bottom: 12px; }
.search .icon { position: absolute; inset-inline-start: 12px; top: 50%; translate: 0 -50%; color: var(--_sp-muted); pointer-events: none; }
.search .input { padding-inline-start: 38px; }
.shared .title { font-size: 1em; font-weight: 600; }
.shared .quiet { margin-bottom: 10px; }
* + .shared { margin-top: 24px; }
.nothing { padding: 28px 16px; text-align: center; color: var(--_sp-muted); }
.empty { display: flex; flex-direction: column; align-items: center; gap: 6px; padding: 40px 24px; text-align: center; border: 1px solid var(--_sp-border); border-radius: var(--_radius); background: var(--_sp-background); }
.empty .sign { display: grid; place-items: center; width: 48px; height: 48px; margin-bottom: 6px; border-radius: 50%; background: var(--_hover); color: var(--_sp-muted); font-size: 1.25em; }
.empty .title { font-size: 1.05em; font-weight: 600; }
.empty p { color: var(--_sp-muted); max-width: 42ch; text-wrap: balance; }
.empty .button { margin-top: 12px; }
.bone { display: block; border-radius: 6px; background: var(--_bone); animation: breathe 1.4s ease-in-out infinite alternate; }
.bone.square { width: 40px; height: 40px; border-radius: var(--_small); }
.bone.short { width: 110px; max-width: 60%; height: 13px; margin-bottom: 9px; }
.bone.long { width: 240px; max-width: 90%; height: 11px; }
.bone.pill { width: 88px; height: 36px; border-radius: var(--_small); }
@keyframes breathe { to { opacity: .45; } }

dialog { width: min(460px, calc(100vw - 32px)); max-height: calc(100dvh - 32px); padding: 0; border: 1px solid var(--_sp-border); border-radius: calc(var(--_radius) * 1.2); background: var(--standpipe-background, var(--_raised)); box-shadow: 0 24px 64px rgb(0 0 0 / 28%); overflow: auto; text-align: start; }
dialog::backdrop { background: var(--_shade); }
dialog[open] { animation: rise .16s ease-out; }
@keyframes rise { from { opacity: 0; transform: translateY(8px); } }
.form header { display: flex; align-items: center; gap: 12px; padding: 18px 20px 0; }
.form h2 { flex: 1; min-width: 0; font-size: 1.12em; font-weight: 600; line-height: 1.3; overflow-wrap: anywhere; }
.form .body { display: flex; flex-direction: column; gap: 16px; padding: 16px 20px 4px; }
.form .body > div:empty { display: none; }
.form .body > p { overflow-wrap: anywhere; }
.form footer { display: flex; flex-wrap: wrap; justify-content: flex-end; gap: 8px; padding: 16px 20px 20px; }
.methods { display: flex; flex-direction: column; gap: 8px; }
legend, .field label { display: block; padding: 0; margin-bottom: 6px; font-weight: 500; font-size: .94em; }
.method { display: flex; align-items: center; gap: 10px; min-height: 42px; padding: 8px 12px; border: 1px solid var(--_sp-border); border-radius: var(--_small); cursor: pointer; }
.method:hover { background: var(--_hover); }
.method:has(:checked) { border-color: var(--_sp-accent); box-shadow: inset 0 0 0 1px var(--_sp-accent); }
.method input { width: 17px; height: 17px; margin: 0; flex: none; accent-color: var(--_sp-accent); }
.method:has(:focus-visible) { outline: 2px solid var(--_sp-accent); outline-offset: 2px; }
.method input:focus-visible { outline: none; }
.entry { position: relative; }
.input { width: 100%; min-height: 40px; padding: 8px 12px; border: 1px solid var(--_strong); border-radius: var(--_small); background: var(--_sp-background); color: var(--_sp-text); font: inherit; }
.input::placeholder { color: var(--_sp-muted); opacity: 1; }
.input:focus-visible { outline-offset: -1px; }
.input[aria-invalid="true"] { border-color: var(--_bad); }
.entry:has(.reveal) .input { padding-inline-end: 76px; }
.reveal { position: absolute; inset-block: 4px; inset-inline-end: 4px; min-width: 60px; padding: 0 8px; border: 0; border-radius: calc(var(--_small) * .75); background: none; color: var(--_sp-muted); font: inherit; font-size: .88em; font-weight: 500; cursor: pointer; }
.reveal:hover { background: var(--_hover); color: var(--_sp-text); }
.hint { margin-top: 6px; font-size: .87em; }
.wrong { display: flex; gap: 6px; align-items: center; margin-top: 6px; color: var(--_bad); font-size: .89em; }

@container (max-width: 520px) {
  .head { flex-wrap: wrap; gap: 10px 12px; padding: 13px 14px; }
  .about { flex-basis: 130px; }
  .side { margin-inline-start: auto; }
  .accounts, .waiting { margin-inline: 14px; }
  .side .state.warn { color: var(--_warn); background: var(--_warn-ground); }
.state.none { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .line { flex-wrap: wrap; }
  .who { flex: 1 1 100%; }
  .acts { margin-inline-start: -10px; flex-wrap: wrap; }
  .acts .button:first-child:not(.quiet) { margin-inline-start: 10px; }
  .banner { flex-wrap: wrap; }
}
@media (max-width: 520px) {
  dialog { width: 100vw; max-width: 100vw; margin: auto 0 0; border-width: 1px 0 0; border-end-start-radius: 0; border-end-end-radius: 0; }
  .form footer { flex-direction: column-reverse; }
  .form footer .button { min-height: 44px; }
}
@media (pointer: coarse) { .button { min-height: 40px; } }
@media (prefers-color-scheme: dark) { :host(:not([theme="light"])) .letter { color: hsl(var(--_hue) 70% 84%); background: hsl(var(--_hue) 34% 24%); } }
:host([theme="dark"]) .letter { color: hsl(var(--_hue) 70% 84%); background: hsl(var(--_hue) 34% 24%); }
@media (prefers-reduced-motion: reduce) { *, dialog[open] { animation-duration: .001s !important; animation-iteration-count: 1 !important; transition: none !important; } }
@media (forced-colors: active) { .button, .input, .state, .notice, .method { border: 1px solid; } .method:has(:checked) { outline: 2px solid Highlight; } }
`;

let sheet: CSSStyleSheet | null = null;

/** One sheet for all elements of a page. */
export function styles(): CSSStyleSheet {
  if (sheet === null) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
  }
  return sheet;
}
