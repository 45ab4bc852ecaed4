/** The line above the list from the second file on: how far all are together, and what can be done with all of them. */

import { TransferRate } from '/uploader/transfer_rate.js';
import { byId, element } from './element.js';
import { say } from './language.js';
import { bytes, remaining } from './quantities.js';
import { titleCount, totalsOf } from './totals.js';

/** @typedef {import('./totals.js').Totals} Totals */
/** @typedef {'cancelAll' | 'retryAll' | 'clearFinished'} AllAction */

const REDRAW_MS = 200;
const PAGE_NAME = 'Countersign';

/** @type {TransferRate} */
let rate = new TransferRate();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** @type {Record<AllAction, HTMLButtonElement> | null} */
let buttons = null;

/**
 * @param {Iterable<import('./totals.js').CountedRow>} rows
 * @param {(action: AllAction) => void} press
 */
export function drawTotalsSoon(rows, press) {
  timer ??= setTimeout(() => {
    timer = undefined;
    drawTotals(rows, press);
  }, REDRAW_MS);
}

/**
 * @param {Iterable<import('./totals.js').CountedRow>} rows
 * @param {(action: AllAction) => void} press
 */
export function drawTotals(rows, press) {
  const totals = totalsOf(rows);
  const box = byId('total');
  document.title = titleCount(totals) + PAGE_NAME;
  if (totals.moving === 0) rate = new TransferRate();
  else rate.mark(totals.sentBytes, Date.now());
  box.hidden = totals.count < 2;
  if (box.hidden) return;
  buttons ??= build(box, press);
  write(box, '.sum', sumText(totals));
  write(box, '.tally', tallyText(totals));
  const share = totals.bytes === 0 ? 1 : totals.sentBytes / totals.bytes;
  const bar = /** @type {HTMLElement} */ (box.querySelector('.bar'));
  bar.setAttribute('aria-valuenow', String(Math.floor(share * 100)));
  bar.setAttribute('aria-label', say('allFiles'));
  bar.classList.toggle('idle', totals.moving === 0);
  /** @type {HTMLElement} */ (bar.firstElementChild).style.transform = `scaleX(${share})`;
  show(buttons, { cancelAll: totals.moving > 0, retryAll: totals.retryable > 0, clearFinished: totals.ended > 0 });
}

/**
 * @param {HTMLElement} box
 * @param {(action: AllAction) => void} press
 * @returns {Record<AllAction, HTMLButtonElement>}
 */
function build(box, press) {
  const button = (/** @type {AllAction} */ action) => element('button', { type: 'button', click: () => press(action) });
  const made = { cancelAll: button('cancelAll'), retryAll: button('retryAll'), clearFinished: button('clearFinished') };
  const bar = element('div', { class: 'bar', role: 'progressbar', 'aria-valuemin': '0', 'aria-valuemax': '100' }, element('i'));
  const about = element('div', { class: 'about' }, element('p', { class: 'sum' }), element('p', { class: 'tally' }));
  box.append(about, element('div', { class: 'actions' }, ...Object.values(made)), bar);
  return made;
}

/**
 * A button that goes away hands the focus to one that stays.
 *
 * @param {Record<AllAction, HTMLButtonElement>} buttons
 * @param {Record<AllAction, boolean>} wanted
 */
function show(buttons, wanted) {
  let homeless = false;
  for (const [action, button] of /** @type {[AllAction, HTMLButtonElement][]} */ (Object.entries(buttons))) {
    if (button.textContent !== say(action)) button.textContent = say(action);
    homeless ||= !wanted[action] && document.activeElement === button;
    button.hidden = !wanted[action];
  }
  if (homeless) (Object.values(buttons).find((button) => !button.hidden) ?? byId('choose')).focus();
}

/**
 * @param {HTMLElement} box
 * @param {string} selector
 * @param {string} text
 */
function write(box, selector, text) {
  const node = /** @type {HTMLElement} */ (box.querySelector(selector));
  if (node.textContent !== text) node.textContent = text;
}

/**
 * @param {Totals} totals
 * @returns {string}
 */
function sumText({ count, ended, moving, bytes: total, sentBytes }) {
  const parts = [say('sumFiles', { ended, count }), say('sumBytes', { sent: bytes(sentBytes), total: bytes(total) })];
  const left = moving > 0 ? rate.secondsLeft(total) : null;
  if (left !== null) parts.push(say('sumLeft', { left: remaining(left) }));
  return parts.join(' · ');
}

/**
 * @param {Totals} totals
 * @returns {string}
 */
function tallyText({ confirmed, stored, trouble, cancelled }) {
  return [
    confirmed > 0 ? say('tallyDone', { count: confirmed }) : '',
    stored > 0 ? say('tallyStored', { count: stored }) : '',
    trouble > 0 ? say('tallyTrouble', { count: trouble }) : '',
    cancelled > 0 ? say('tallyCancelled', { count: cancelled }) : '',
  ].filter((part) => part !== '').join(' · ');
}
