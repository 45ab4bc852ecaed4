/** One upload's progress, and the record of what was said. */

import { TransferRate } from './transfer_rate.js';

/** @typedef {'queued' | 'signing' | 'sending' | 'confirming' | 'offline'} Phase */

/**
 * @typedef {object} Progress
 * @property {Phase} phase
 * @property {number} sent bytes of the file
 * @property {number} total bytes of the file
 * @property {number | null} bytesPerSecond
 * @property {number | null} secondsLeft
 * @property {boolean} withCallback whether the application will be asked; known from `sending` on
 * @property {Conversation} conversation
 */

/**
 * @typedef {object} Conversation what was really said, for those who want to see it; of the last attempt
 * @property {Partial<Record<Phase | 'ended', number>>} times when each phase began, milliseconds since the epoch
 * @property {import('./signature_cache.js').SignatureExchange | null} signature
 * @property {boolean} signatureCached
 * @property {{ url: string, fields: [string, string][], fileName: string, fileType: string } | null} form
 * @property {string | null} key what the file will be called in the store, once that is settled
 * @property {import('./transfer.js').StoreAnswer | null} answer
 * @property {number} attempts
 */

/** Tells the caller how far it is. */
export class Journey {
  #file;
  #now;
  #observe;
  #rate = new TransferRate();
  #sent = 0;
  /** @type {Phase} */
  #phase = 'queued';
  withCallback = false;
  /** @type {Conversation} */
  conversation = { times: {}, signature: null, signatureCached: false, form: null, key: null, answer: null, attempts: 0 };

  /**
   * @param {Blob} file
   * @param {() => number} now
   * @param {((progress: Progress) => void) | undefined} observe
   */
  constructor(file, now, observe) {
    this.#file = file;
    this.#now = now;
    this.#observe = observe;
  }

  /** Forgets what an earlier attempt said: its times would be added to those of this one. */
  beginAttempt() {
    const { queued } = this.conversation.times;
    const nothingYet = { signature: null, signatureCached: false, form: null, key: null, answer: null };
    Object.assign(this.conversation, { times: { queued }, ...nothingYet });
    this.conversation.attempts += 1;
    this.#sent = 0;
    this.#rate = new TransferRate();
    this.enter('signing');
  }

  /** @param {Phase} phase */
  enter(phase) {
    this.#phase = phase;
    this.conversation.times[phase] = this.#now();
    if (phase === 'sending') this.#rate.mark(0, this.#now());
    if (phase === 'confirming') this.#sent = this.#file.size;
    this.#report();
  }

  end() {
    this.conversation.times.ended = this.#now();
  }

  /** @param {number} sent */
  progress(sent) {
    if (this.#phase !== 'sending') return;
    this.#sent = sent;
    this.#rate.mark(sent, this.#now());
    this.#report();
  }

  #report() {
    this.#observe?.({
      phase: this.#phase,
      sent: this.#sent,
      total: this.#file.size,
      bytesPerSecond: this.#rate.bytesPerSecond,
      secondsLeft: this.#rate.secondsLeft(this.#file.size),
      withCallback: this.withCallback,
      conversation: this.conversation,
    });
  }
}
