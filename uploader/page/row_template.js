/** How a row is built, before it is filled, and the signs that rows use: one shape for each state. */

const SIGNS = `
<svg hidden>
  <symbol id="sign-queued" viewBox="0 0 32 20"><circle cx="22" cy="10" r="6.5"/></symbol>
  <symbol id="sign-sending" viewBox="0 0 32 20"><path d="M22 17V4m-5.5 5L22 3.5 27.5 9"/></symbol>
  <symbol id="sign-waiting" viewBox="0 0 32 20"><circle cx="22" cy="10" r="7.5"/><path d="M22 6v4.500l3 2"/></symbol>
  <symbol id="sign-stored" viewBox="0 0 32 20"><path d="M12.5 11.5 18 17 30 3"/></symbol>
  <symbol id="sign-warned" viewBox="0 0 32 20"><path class="first" d="M2.5 11.5 8 17 20 3"/><path d="M27 3.500v8M27 16.500v.01"/></symbol>
  <symbol id="sign-unknown" viewBox="0 0 32 20"><path d="M22 3v8.500M22 16.500v.01"/></symbol>
  <symbol id="sign-refused" viewBox="0 0 32 20"><path d="m16.5 4.5 11 11m0-11-11 11"/></symbol>
  <symbol id="sign-cancelled" viewBox="0 0 32 20"><path d="M17 10h10"/></symbol>
  <symbol id="ok" viewBox="0 0 16 16"><path d="m4.5 8.5 2.5 2.5 4.5-5.5"/></symbol>
  <symbol id="warn" viewBox="0 0 16 16"><path d="M8 4v4.500M8 11.500v.01"/></symbol>
  <symbol id="fail" viewBox="0 0 16 16"><path d="m5.5 5.5 5 5m0-5-5 5"/></symbol>
  <symbol id="skipped" viewBox="0 0 16 16"><path d="M5.5 8h5"/></symbol>
  <symbol id="sheet" viewBox="0 0 16 16"><path d="M4 2h5l3 3v9H4zM9 2v3h3"/></symbol>
  <symbol id="chevron" viewBox="0 0 16 16"><path d="m4 6 4 4 4-4"/></symbol>
</svg>`;

const ROW = `
<li class="row">
  <div class="thumb" aria-hidden="true"><span></span></div>
  <div class="about">
    <p class="name"><span class="stem"></span><span class="extension"></span><span class="size"></span></p>
    <p class="state"></p>
  </div>
  <div class="actions"></div>
  <button type="button" class="toggle" aria-expanded="false"><span class="took"></span><svg class="sign" aria-hidden="true"><use/></svg><svg class="chevron" aria-hidden="true"><use href="#chevron"/></svg></button>
  <div class="bar" role="progressbar" aria-valuemin="0" aria-valuemax="100"><i></i></div>
  <p class="remedy"></p>
  <div class="offer"></div>
  <div class="conversation" hidden></div>
</li>`;

/** @type {Record<import('./six_steps.js').RowState | 'stalled', string>} */
const SIGN_OF = {
  queued: 'sign-queued',
  signing: 'sign-sending',
  sending: 'sign-sending',
  stalled: 'sign-waiting',
  offline: 'sign-waiting',
  confirming: 'sign-waiting',
  done: 'mark',
  stored: 'sign-stored',
  'stored-not-confirmed': 'sign-warned',
  declined: 'sign-warned',
  unknown: 'sign-unknown',
  refused: 'sign-refused',
  cancelled: 'sign-cancelled',
};

/**
 * @param {string} markup
 * @returns {Element}
 */
function built(markup) {
  const template = document.createElement('template');
  template.innerHTML = markup.trim();
  return /** @type {Element} */ (template.content.firstElementChild);
}

const row = built(ROW);
document.body.prepend(built(SIGNS));

/** @returns {HTMLLIElement} */
export function emptyRow() {
  return /** @type {HTMLLIElement} */ (row.cloneNode(true));
}

/**
 * @param {import('./six_steps.js').RowState | 'stalled'} state
 * @returns {string} the address of its sign
 */
export function signOf(state) {
  return `#${SIGN_OF[state]}`;
}
