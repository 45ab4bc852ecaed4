/** One file on the page: its state, its line, its strip of six steps, its one action. Knows nothing of the sending. */

import { announce } from './announcer.js';
import { giveLink } from './copy_link.js';
import { byId, drawn, element } from './element.js';
import { say } from './language.js';
import { openAddress } from './ledger.js';
import { bytes, elapsed, remaining } from './quantities.js';
import { callbackReason, refusalReason } from './reasons.js';
import { emptyRow } from './row_template.js';
import { stepStates, stepTimes } from './six_steps.js';
import { forgetThumbnail, thumbnail } from './thumbnails.js';

/** @typedef {import('./six_steps.js').RowState} RowState */

/**
 * @typedef {object} RowActions what the list does when the row's button is pressed
 * @property {(row: UploadRow) => void} start again
 * @property {(row: UploadRow) => void} stop
 * @property {(row: UploadRow) => void} remove
 * @property {(row: UploadRow) => void} ask the ledger whether it arrived
 */

/** States that are worth saying aloud; the others pass too quickly. */
const SPOKEN = new Set(['done', 'stored', 'stored-not-confirmed', 'declined', 'unknown', 'refused', 'cancelled']);
const MOVING = new Set(['queued', 'signing', 'sending', 'confirming', 'offline']);

/** A row of the list, and the standing that its strip shows. */
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
    this.#part('.strip').addEventListener('click', () => this.toggle());
    this.#part('.strip').append(...[1, 2, 3, 4, 5, 6].map(() => stepCell()), drawn('chevron'));
    this.#nameIt();
    thumbnail(this.#part('.thumb'), file);
    this.draw();
  }

  /** @returns {boolean} */
  get isMoving() {
    return MOVING.has(this.state);
  }

  /** @returns {boolean} */
  get isOpen() {
    return this.#part('.strip').getAttribute('aria-expanded') === 'true';
  }

  /** @param {RowState} state */
  enter(state) {
    this.state = state;
    this.draw();
    if (SPOKEN.has(state)) announce(this.file.name, this.stateText());
    if (this.isOpen) void this.showConversation();
  }

  /** Draws with the next frame, once, however often it is asked. */
  drawSoon() {
    this.#drawing ||= requestAnimationFrame(() => {
      this.#drawing = 0;
      this.draw();
    });
  }

  draw() {
    this.node.dataset.state = this.state;
    if (this.key !== null) this.node.dataset.key = this.key;
    this.#part('.state').textContent = this.stateText();
    this.#drawBar();
    if (this.state === this.#drawnState && this.isMoving) return;
    this.#drawnState = this.state;
    this.#drawStrip();
    this.#part('.actions').replaceChildren(...this.#actionNodes());
    this.#part('.offer').replaceChildren();
  }

  /** Everything anew, in the language that now holds. */
  redraw() {
    this.#drawnState = '';
    this.#nameIt();
    this.draw();
    if (this.isOpen) void this.showConversation();
  }

  /** @returns {string} the one line of state */
  stateText() {
    switch (this.state) {
      case 'sending':
        return this.#sendingText();
      case 'confirming':
        return say(this.withCallback ? 'confirming' : 'finishing');
      case 'stored-not-confirmed':
        return say('notConfirmed', { reason: callbackReason(this.error?.message ?? '') });
      case 'declined':
        return say('declined', { reason: this.error?.message ?? '' });
      case 'unknown':
        return say(this.inquiry);
      case 'refused':
        return this.#refusal().text;
      default:
        return say(this.state);
    }
  }

  toggle() {
    const open = !this.isOpen;
    this.#part('.strip').setAttribute('aria-expanded', String(open));
    this.#part('.conversation').hidden = !open;
    if (open) void this.showConversation();
  }

  async showConversation() {
    const { conversationView } = await import('./conversation_view.js');
    this.#part('.conversation').replaceChildren(...conversationView(this));
  }

  leave() {
    forgetThumbnail(this.#part('.thumb'));
    this.node.remove();
  }

  /**
   * @param {string} selector
   * @returns {HTMLElement}
   */
  #part(selector) {
    return /** @type {HTMLElement} */ (this.node.querySelector(selector));
  }

  #nameIt() {
    const { name, size } = this.file;
    const dot = name.lastIndexOf('.');
    const cut = dot > 0 && name.length - dot <= 8 ? dot : name.length;
    this.#part('.stem').textContent = name.slice(0, cut);
    this.#part('.extension').textContent = name.slice(cut);
    this.#part('.name').title = name;
    this.#part('.size').textContent = size === 0 ? say('emptyFile') : bytes(size);
    this.#part('.thumb span').replaceChildren(name.slice(cut + 1, cut + 5) || drawn('sheet'));
    this.#part('.bar').setAttribute('aria-label', name);
  }

  /** @returns {string} */
  #sendingText() {
    const { sent = 0, total = 0, bytesPerSecond = null, secondsLeft = null } = this.progress ?? {};
    const percent = total === 0 ? 100 : Math.floor((sent / total) * 100);
    if (bytesPerSecond === null || secondsLeft === null) return say('sending', { percent });
    return say('sendingRate', { percent, rate: bytes(Math.round(bytesPerSecond)), left: remaining(secondsLeft) });
  }

  #drawBar() {
    const { sent = 0, total = 0 } = this.progress ?? {};
    const share = this.state === 'sending' && total > 0 ? sent / total : this.state === 'confirming' ? 1 : 0;
    const bar = this.#part('.bar');
    /** @type {HTMLElement} */ (bar.firstElementChild).style.transform = `scaleX(${share})`;
    if (this.state === 'sending') bar.setAttribute('aria-valuenow', String(Math.floor(share * 100)));
    else bar.removeAttribute('aria-valuenow');
    bar.hidden = !this.isMoving;
  }

  #drawStrip() {
    const states = stepStates(this);
    const times = stepTimes(this);
    const strip = this.#part('.strip');
    strip.setAttribute('aria-label', say('showDetails', { name: this.file.name }));
    strip.querySelectorAll('.step').forEach((cell, index) => {
      const state = states[index];
      const time = times[index];
      const [dot, label, when] = cell.children;
      /** @type {HTMLElement} */ (cell).dataset.step = state;
      dot.replaceChildren(...(state === 'pending' || state === 'active' ? [] : [drawn(state)]));
      label.textContent = say(/** @type {import('./language.js').Word} */ (`step${index + 1}`));
      when.className = time?.exact === false ? 'latest' : '';
      when.textContent = time === null ? '' : (time.exact ? '' : '≤ ') + elapsed(time.after);
    });
  }

  /** @returns {HTMLElement[]} */
  #actionNodes() {
    switch (this.state) {
      case 'queued':
        return [this.#button('remove', () => this.#actions.remove(this))];
      case 'signing':
      case 'offline':
      case 'sending':
        return [this.#button('cancel', () => this.#actions.stop(this))];
      case 'confirming':
        return [];
      case 'done':
        return [this.#openLink(), this.#button('copyLink', () => giveLink(this.key ?? '', this.#part('.offer')))];
      case 'stored':
        return [this.#openLink()];
      case 'stored-not-confirmed':
      case 'declined':
        return [this.#button('details', () => this.toggle())];
      case 'unknown':
        return this.inquiry === 'asking' ? [] : [this.#button('askAgain', () => this.#actions.ask(this))];
      case 'refused':
        return this.#refusal().canRetry ? [this.#button('tryAgain', () => this.#actions.start(this))] : [];
      case 'cancelled':
        return [this.#button('again', () => this.#actions.start(this))];
    }
  }

  /** @returns {HTMLElement} */
  #openLink() {
    return element('a', { href: openAddress(this.key ?? ''), target: '_blank', rel: 'noopener' }, say('open'));
  }

  /**
   * @param {import('./language.js').Word} word
   * @param {() => void} pressed
   * @returns {HTMLElement}
   */
  #button(word, pressed) {
    return element('button', { type: 'button', click: pressed }, say(word));
  }

  /** @returns {import('./reasons.js').Reason} */
  #refusal() {
    if (this.error === null) return { text: '', canRetry: true };
    const address = this.conversation?.form?.url;
    const host = address === undefined ? '' : new URL(address).host;
    const { file, sizeRange, types, slept } = this;
    return refusalReason(this.error, { file, sizeRange, types, host, slept });
  }
}

/** @returns {HTMLElement} */
function stepCell() {
  return element('span', { class: 'step' }, element('i'), element('span'), element('small'));
}

/** @returns {HTMLElement} the list itself */
export function rowList() {
  return byId('rows');
}
