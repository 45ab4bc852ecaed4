/** One file on the page: its state, its line, its sign, its actions, its details. Knows nothing of the sending. */

import { announce } from './announcer.js';
import { drawn, element } from './element.js';
import { say } from './language.js';
import { bytes, elapsed } from './quantities.js';
import { explanation } from './reasons.js';
import { actionNodes } from './row_actions.js';
import { emptyRow, signOf } from './row_template.js';
import { reasonOf, stateText } from './row_words.js';
import { totalTime } from './six_steps.js';
import { forgetThumbnail, thumbnail } from './thumbnails.js';

/** @typedef {import('./six_steps.js').RowState} RowState */

/**
 * @typedef {object} RowActions what the list does when the row's button is pressed
 * @property {(row: UploadRow) => void} start again
 * @property {(row: UploadRow) => void} stop
 * @property {(row: UploadRow) => void} remove
 * @property {(row: UploadRow) => void} ask the ledger whether it arrived
 * @property {() => void} changed the row entered a state, or came further in it
 */

/** States that are worth saying aloud; the others pass too quickly. */
const SPOKEN = new Set(['done', 'stored', 'stored-not-confirmed', 'declined', 'unknown', 'refused', 'cancelled', 'offline']);
const MOVING = new Set(['queued', 'signing', 'sending', 'confirming', 'offline']);

/** A row of the list, and the standing that its details show. */
export class UploadRow {
  /** @type {RowState} */
  state = 'queued';
  withCallback = true;
  /** @type {import('../src/uploader.js').Conversation | null} */
  conversation = null;
  /** @type {import('../src/upload_error.js').UploadError | null} */
  error = null;
  /** @type {number | null} */
  calledBackAt = null;
  /** @type {import('../src/uploader.js').Progress | null} */
  progress = null;
  /** When the last byte was seen to go, or the last state began. */
  movedAt = 0;
  /** How long nothing has moved, once that is worth saying. */
  stalledSeconds = 0;
  /** How long the answer has been waited for, once that is worth saying. */
  waitedSeconds = 0;
  /** @type {string | null} */
  key = null;
  /** @type {AbortController} */
  controller = new AbortController();
  /** How the question to the ledger stands, when the outcome is unknown. */
  /** @type {'asking' | 'notKnown' | 'notVisible' | 'askFailed'} */
  inquiry = 'asking';
  slept = false;
  /** @type {import('./ledger.js').LedgerRecord | null | 'none' | 'failed'} */
  ledger = 'none';
  /** @type {{ min: number, max: number } | null} */
  sizeRange = null;
  /** @type {string[] | null} */
  types = null;

  #actions;
  #drawing = 0;
  #drawnState = '';

  /**
   * @param {File} file
   * @param {import('./settings.js').Settings} settings as they were when the file was chosen
   * @param {RowActions} actions
   */
  constructor(file, settings, actions) {
    this.file = file;
    this.settings = settings;
    this.#actions = actions;
    this.node = emptyRow();
    this.part('.toggle').addEventListener('click', () => this.toggle());
    this.#nameIt();
    thumbnail(this.part('.thumb'), file);
    this.draw();
  }

  /** @returns {boolean} */
  get isMoving() {
    return MOVING.has(this.state);
  }

  /** @returns {boolean} whether sending it again may end differently; what may be stored is not sent again unasked */
  get canRetry() {
    return this.state === 'cancelled' || (this.state === 'refused' && (reasonOf(this)?.canRetry ?? true));
  }

  /** @returns {boolean} */
  get isOpen() {
    return !this.part('.conversation').hidden;
  }

  /** @param {RowState} state */
  enter(state) {
    const isNew = state !== this.state;
    this.state = state;
    this.movedAt = Date.now();
    this.stalledSeconds = 0;
    if (isNew) this.waitedSeconds = 0;
    this.draw();
    this.#actions.changed();
    if (SPOKEN.has(state)) announce(this.file.name, stateText(this));
    if (this.isOpen) void this.showConversation();
  }

  /** Draws with the next frame, once, however often it is asked. */
  drawSoon() {
    this.#actions.changed();
    this.#drawing ||= requestAnimationFrame(() => {
      this.#drawing = 0;
      this.draw();
    });
  }

  draw() {
    const shown = this.state === 'sending' && this.stalledSeconds > 0 ? 'stalled' : this.state;
    this.node.dataset.state = this.state;
    this.node.classList.toggle('stalled', shown === 'stalled');
    this.node.classList.toggle('moving', this.isMoving);
    if (this.key === null) delete this.node.dataset.key;
    else this.node.dataset.key = this.key;
    this.part('.state').textContent = stateText(this);
    this.#drawBar();
    if (shown === this.#drawnState && this.isMoving) return;
    this.#drawnState = shown;
    this.part('.sign use').setAttribute('href', signOf(shown));
    const total = this.isMoving || this.state === 'cancelled' ? null : totalTime(this.conversation);
    this.part('.took').textContent = total === null || this.conversation?.answer == null ? '' : elapsed(total);
    this.#drawRemedy();
    this.#drawActions();
  }

  /** Everything anew, in the language that now holds. */
  redraw() {
    this.#drawnState = '';
    this.#nameIt();
    this.draw();
    if (this.isOpen) void this.showConversation();
  }

  toggle() {
    const open = !this.isOpen;
    this.part('.toggle').setAttribute('aria-expanded', String(open));
    this.node.classList.toggle('open', open);
    this.part('.conversation').hidden = !open;
    if (open) void this.showConversation();
  }

  async showConversation() {
    const box = this.part('.conversation');
    const loaded = await import('./conversation_view.js').catch(() => null);
    if (loaded === null) return box.replaceChildren(element('p', {}, say('libraryGone')));
    const { conversationView } = loaded;
    const before = [...box.querySelectorAll('details')];
    const focused = focusables(box).indexOf(/** @type {HTMLElement} */ (document.activeElement));
    box.replaceChildren(...conversationView(this));
    // What was unfolded stays so, and the keyboard stays where it was, while the story goes on.
    const unfolded = new Set(before.filter(({ open }) => open).map(nameOf));
    for (const details of box.querySelectorAll('details')) details.open = unfolded.has(nameOf(details));
    if (focused >= 0) (focusables(box)[focused] ?? this.part('.toggle')).focus();
  }

  leave() {
    forgetThumbnail(this.part('.thumb'));
    this.node.remove();
  }

  focus() {
    this.part('.toggle').focus();
  }

  /**
   * @param {string} selector
   * @returns {HTMLElement}
   */
  part(selector) {
    return /** @type {HTMLElement} */ (this.node.querySelector(selector));
  }

  #nameIt() {
    const { name, size } = this.file;
    const dot = name.lastIndexOf('.');
    const cut = dot > 0 && name.length - dot <= 8 ? dot : name.length;
    this.part('.stem').textContent = name.slice(0, cut);
    this.part('.extension').textContent = name.slice(cut);
    this.part('.name').title = name;
    this.part('.size').textContent = size === 0 ? say('emptyFile') : bytes(size);
    this.part('.thumb span').replaceChildren(name.slice(cut + 1, cut + 5) || drawn('sheet'));
    this.part('.bar').setAttribute('aria-label', name);
    this.part('.toggle').setAttribute('aria-label', say('showDetails', { name }));
  }

  #drawBar() {
    const { sent = 0, total = 0 } = this.progress ?? {};
    const share = this.state === 'sending' && total > 0 ? sent / total : this.state === 'confirming' ? 1 : 0;
    const bar = this.part('.bar');
    /** @type {HTMLElement} */ (bar.firstElementChild).style.transform = `scaleX(${share})`;
    if (this.state === 'sending') bar.setAttribute('aria-valuenow', String(Math.floor(share * 100)));
    else bar.removeAttribute('aria-valuenow');
    bar.hidden = !this.isMoving;
  }

  #drawRemedy() {
    const reason = reasonOf(this);
    const link = this.isMoving ? null : explanation(this.error);
    this.part('.remedy').replaceChildren(
      reason?.remedy ?? '',
      ...(reason?.command ? [' ', element('code', {}, reason.command)] : []),
      ...(link === null ? [] : [' ', element('a', { href: link, target: '_blank', rel: 'noopener' }, say('errorLink'))]),
    );
  }

  /** The button that was pressed may be gone; then the focus goes to what stands in its place. */
  #drawActions() {
    const box = this.part('.actions');
    const hadFocus = box.contains(document.activeElement);
    box.replaceChildren(...actionNodes(this, this.#actions));
    this.part('.offer').replaceChildren();
    if (hadFocus) (focusables(box)[0] ?? this.part('.toggle')).focus();
  }
}

/**
 * @param {HTMLElement} box
 * @returns {HTMLElement[]}
 */
function focusables(box) {
  return [...box.querySelectorAll(/** @type {'a'} */ ('a, button, summary, input, textarea'))];
}

/**
 * @param {HTMLDetailsElement} details
 * @returns {string}
 */
function nameOf(details) {
  return details.dataset.name ?? '';
}
