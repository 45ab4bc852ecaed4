/**
 * The way of one upload, told in order: wait for a turn, get permission, send the form, wait until the
 * application has confirmed. Everything that is seen on the way is kept in its conversation.
 */

import { formBody, formFields } from './form.js';
import { FILENAME_VARIABLE, expectedLocalKey, keyPrefix, randomKey } from './object_key.js';
import { readOutcome } from './outcome.js';
import { contentTypeRefusal, readPolicy } from './policy_document.js';
import { SignatureCache } from './signature_cache.js';
import { Slots } from './slots.js';
import { TransferBrokenError, transfer } from './transfer.js';
import { TransferRate } from './transfer_rate.js';
import { UploadError } from './upload_error.js';
import { normaliseUploadPath } from './upload_path.js';

/** @typedef {'queued' | 'signing' | 'sending' | 'confirming'} Phase */

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
 * @typedef {object} Conversation what was really said, for those who want to see it
 * @property {Partial<Record<Phase | 'ended', number>>} times when each phase began, milliseconds since the epoch
 * @property {import('./signature_cache.js').SignatureExchange | null} signature
 * @property {boolean} signatureCached
 * @property {{ url: string, fields: [string, string][], fileName: string, fileType: string } | null} form
 * @property {import('./transfer.js').StoreAnswer | null} answer
 */

/** @typedef {import('./outcome.js').Success & { conversation: Conversation }} UploadResult */

/**
 * @typedef {object} UploadOptions
 * @property {(progress: Progress) => void} [observe]
 * @property {AbortSignal} [signal]
 * @property {'random' | 'local'} [name] how the key is made
 * @property {Record<string, string>} [fields] further form fields, such as `x:` variables
 * @property {Record<string, string>} [parameters] further query parameters for the signature endpoint
 */

/**
 * @typedef {object} UploaderOwnOptions
 * @property {number} [concurrency] uploads at once, 4 unless said otherwise
 * @property {boolean} [checkBeforeSending] refuse here what the signed policy cannot permit, true unless said otherwise
 * @property {() => string} [newId]
 * @property {() => XMLHttpRequest} [createRequest]
 *
 * @typedef {import('./signature_cache.js').SignatureCacheOptions & UploaderOwnOptions} UploaderOptions
 */

/** Uploads files to wherever the application's signature endpoint permits. */
export class Uploader {
  #options;
  #signatures;
  #slots;

  /** @param {UploaderOptions} options */
  constructor(options) {
    this.#options = { now: () => Date.now(), concurrency: 4, checkBeforeSending: true, ...options };
    this.#signatures = new SignatureCache(options);
    this.#slots = new Slots(this.#options.concurrency);
  }

  /**
   * @param {File | (Blob & { name?: string })} file
   * @param {string} [path] the folder; nothing means the application's own
   * @param {UploadOptions} [options]
   * @returns {Promise<UploadResult>}
   * @throws {UploadError} with its outcome, code and request id
   * @throws {import('./upload_path.js').UploadPathError}
   * @throws {DOMException} an AbortError, as soon as the signal says so
   */
  async upload(file, path, options = {}) {
    const folder = path === undefined ? undefined : normaliseUploadPath(path);
    const journey = new Journey(file, this.#options.now, options.observe);
    journey.enter('queued');
    const release = await this.#slots.acquire(options.signal);
    try {
      const success = await this.#run(file, folder, options, journey);
      return { ...success, conversation: journey.conversation };
    } catch (error) {
      if (error instanceof UploadError) error.conversation = journey.conversation;
      throw error;
    } finally {
      journey.conversation.times.ended = this.#options.now();
      release();
    }
  }

  /**
   * @param {File | (Blob & { name?: string })} file
   * @param {string | undefined} folder
   * @param {UploadOptions} options
   * @param {Journey} journey
   * @returns {Promise<import('./outcome.js').Success>}
   */
  async #run(file, folder, options, journey) {
    const { conversation } = journey;
    journey.enter('signing');
    const { permission, exchange, cached } = await this.#signatures.get(folder, options.parameters, options.signal);
    conversation.signature = exchange;
    conversation.signatureCached = cached;
    const { key, expectedKey } = this.#nameFor(file, folder, permission, options);
    if (this.#options.checkBeforeSending) refuseWhatPolicyForbids(permission, file, options.fields);
    await refuseUnreadable(file);
    const fields = formFields({ permission, key, further: options.fields });
    const fileName = file.name || 'file';
    conversation.form = { url: permission.host, fields, fileName, fileType: file.type };
    journey.withCallback = permission.callback !== null;
    journey.enter('sending');
    try {
      const answer = await transfer({
        url: permission.host,
        form: formBody(fields, file, fileName),
        fileBytes: file.size,
        signal: options.signal,
        onProgress: (sent) => journey.progress(sent),
        onSent: () => journey.enter('confirming'),
        createRequest: this.#options.createRequest,
      });
      conversation.answer = answer;
      return readOutcome(answer, {
        key: expectedKey,
        keyIsChosenByStore: options.name === 'local',
        withCallback: permission.callback !== null,
      });
    } catch (error) {
      if (error instanceof TransferBrokenError) throw await brokenTransfer(error, file, expectedKey);
      // An expired or wrong permission would be refused again for as long as it is cached.
      if (error instanceof UploadError && error.status === 403) this.#signatures.forget(exchange);
      throw error;
    }
  }

  /**
   * @param {File | (Blob & { name?: string })} file
   * @param {string | undefined} folder
   * @param {import('./permission.js').Permission} permission
   * @param {UploadOptions} options
   * @returns {{ key: string, expectedKey: string }} as sent, and as the store will understand it
   */
  #nameFor(file, folder, permission, options) {
    const prefix = keyPrefix(folder, permission.dir);
    const fileName = file.name || 'file';
    if (options.name === 'local') {
      return { key: prefix + FILENAME_VARIABLE, expectedKey: expectedLocalKey(prefix, fileName) };
    }
    const key = randomKey(prefix, fileName, this.#options.newId);
    return { key, expectedKey: key };
  }
}

/** One upload's progress, and the record of what was said. */
class Journey {
  #file;
  #now;
  #observe;
  #rate = new TransferRate();
  #sent = 0;
  /** @type {Phase} */
  #phase = 'queued';
  withCallback = false;
  /** @type {Conversation} */
  conversation = { times: {}, signature: null, signatureCached: false, form: null, answer: null };

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

  /** @param {Phase} phase */
  enter(phase) {
    this.#phase = phase;
    this.conversation.times[phase] = this.#now();
    if (phase === 'sending') this.#rate.mark(0, this.#now());
    if (phase === 'confirming') this.#sent = this.#file.size;
    this.#report();
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

/**
 * @param {import('./permission.js').Permission} permission
 * @param {Blob} file
 * @param {Record<string, string>} [fields]
 */
function refuseWhatPolicyForbids(permission, file, fields = {}) {
  const policy = readPolicy(permission.policy);
  if (policy === null) return;
  const { sizeRange } = policy;
  if (sizeRange !== null && file.size > sizeRange.max) {
    throw refusedHere('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size.');
  }
  if (sizeRange !== null && file.size < sizeRange.min) {
    throw refusedHere('EntityTooSmall', 'Your proposed upload smaller than the minimum allowed size.');
  }
  const contentType = fields['x-oss-content-type'] ?? (file.type || 'application/octet-stream');
  const condition = contentTypeRefusal(policy, contentType);
  if (condition !== null) {
    throw refusedHere('AccessDenied', `Invalid according to Policy: Policy Condition failed: ${condition}`);
  }
}

/**
 * The store's own code and words, so that a caller need not care which of the two noticed first.
 *
 * @param {string} code
 * @param {string} message
 */
function refusedHere(code, message) {
  return new UploadError('refused', message, { code, local: true });
}

/**
 * A file that changed on disk since it was chosen cannot be read any more, and while sending that would look like
 * a broken connection.
 *
 * @param {Blob} file
 */
async function refuseUnreadable(file) {
  try {
    // Of nothing, no part can be read: an empty file is asked for itself.
    await (file.size === 0 ? file : file.slice(0, 1)).arrayBuffer();
  } catch (cause) {
    throw new UploadError('refused', 'the file changed or went away since it was chosen', {
      code: 'FileUnreadable',
      local: true,
      cause,
    });
  }
}

/**
 * @param {TransferBrokenError} broken
 * @param {Blob} file
 * @param {string} key
 * @returns {Promise<UploadError>}
 */
async function brokenTransfer(broken, file, key) {
  const facts = { key, cause: broken };
  if (broken.allSent) return new UploadError('unknown', broken.message, { ...facts, code: 'ConnectionLost' });
  try {
    await refuseUnreadable(file);
  } catch (error) {
    return /** @type {UploadError} */ (error);
  }
  return broken.started
    ? new UploadError('refused', broken.message, { ...facts, code: 'ConnectionLost' })
    : new UploadError('refused', 'the store cannot be reached', { ...facts, code: 'StoreUnreachable' });
}
