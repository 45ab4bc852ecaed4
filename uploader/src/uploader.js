/**
 * The way of one upload, told in order: wait for a turn, get permission, send the form, wait until the
 * application has confirmed. Everything that is seen on the way is kept in its conversation.
 */

import { refuseUnreadable, refuseWhatPolicyForbids } from './before_sending.js';
import { withType } from './content_type.js';
import { formBody, formFields } from './form.js';
import { Journey } from './journey.js';
import { Network, answersAtAll, foreignTo } from './network.js';
import { FILENAME_VARIABLE, expectedLocalKey, keyPrefix, randomKey } from './object_key.js';
import { readOutcome } from './outcome.js';
import { SignatureCache } from './signature_cache.js';
import { Slots } from './slots.js';
import { TransferBrokenError, transfer } from './transfer.js';
import { UploadError, abortError } from './upload_error.js';
import { normaliseUploadPath } from './upload_path.js';

/** @typedef {import('./journey.js').Conversation} Conversation */
/** @typedef {import('./journey.js').Phase} Phase */
/** @typedef {import('./journey.js').Progress} Progress */
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
 * @property {number} [answerTimeoutMs] how long an answer may take after the last byte, 5 minutes unless said otherwise:
 *   a proxy that keeps the body back sends it on only then
 * @property {() => string} [newId]
 * @property {() => XMLHttpRequest} [createRequest]
 * @property {Network} [network]
 * @property {string} [origin] this page's
 *
 * @typedef {import('./signature_cache.js').SignatureCacheOptions & UploaderOwnOptions} UploaderOptions
 */

const NETWORK_FAULTS = new Set(['StoreUnreachable', 'OriginNotAllowed', 'ConnectionLost']);

/** Uploads files to wherever the application's signature endpoint permits. */
export class Uploader {
  #options;
  #signatures;
  #slots;

  /** @param {UploaderOptions} options */
  constructor(options) {
    this.#options = {
      now: () => Date.now(),
      fetch: (/** @type {Parameters<typeof globalThis.fetch>} */ ...request) => globalThis.fetch(...request),
      network: new Network(),
      origin: globalThis.location?.origin,
      concurrency: 4,
      checkBeforeSending: true,
      answerTimeoutMs: 300_000,
      ...options,
    };
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
      const success = await this.#untilDecided(file, folder, options, journey);
      return { ...success, conversation: journey.conversation };
    } catch (error) {
      if (error instanceof UploadError) error.conversation = journey.conversation;
      throw error;
    } finally {
      journey.end();
      release();
    }
  }

  /**
   * Tries again where nothing was stored and trying again helps: once with a fresh signature where the old one had
   * expired on the way, and whenever the network is back where the device had lost it.
   *
   * @param {File | (Blob & { name?: string })} file
   * @param {string | undefined} folder
   * @param {UploadOptions} options
   * @param {Journey} journey
   * @returns {Promise<import('./outcome.js').Success>}
   */
  async #untilDecided(file, folder, options, journey) {
    let mayRenew = true;
    for (;;) {
      try {
        return await this.#attempt(file, folder, options, journey);
      } catch (error) {
        if (!(error instanceof UploadError)) throw error;
        // The wait for a reason takes some seconds, and the caller may have given up meanwhile.
        if (options.signal?.aborted) throw abortError(options.signal);
        if (mayRenew && isExpiry(error)) mayRenew = false;
        else if (!(isNetworkFault(error) && await this.#options.network.wasLost(options.signal))) throw error;
        else {
          journey.enter('offline');
          await this.#options.network.untilBack(options.signal);
        }
      }
    }
  }

  /**
   * @param {File | (Blob & { name?: string })} file
   * @param {string | undefined} folder
   * @param {UploadOptions} options
   * @param {Journey} journey
   * @returns {Promise<import('./outcome.js').Success>}
   */
  async #attempt(file, folder, options, journey) {
    const { conversation } = journey;
    journey.beginAttempt();
    const { permission, exchange, cached } = await this.#signatures.get(folder, options.parameters, options.signal);
    conversation.signature = exchange;
    conversation.signatureCached = cached;
    const { key, expectedKey } = this.#nameFor(file, folder, permission, options);
    conversation.key = expectedKey;
    const fields = formFields({ permission, key, originalName: file.name, further: options.fields });
    const fileName = file.name || 'file';
    const typed = withType(file, fileName);
    if (this.#options.checkBeforeSending) refuseWhatPolicyForbids(permission, typed, fields);
    await refuseUnreadable(file);
    conversation.form = { url: permission.host, fields, fileName, fileType: typed.type };
    journey.withCallback = permission.callback !== null;
    journey.enter('sending');
    try {
      const answer = await transfer({
        url: permission.host,
        form: formBody(fields, typed, fileName),
        fileBytes: file.size,
        signal: options.signal,
        answerTimeoutMs: this.#options.answerTimeoutMs,
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
      if (error instanceof TransferBrokenError) {
        throw await this.#brokenTransfer(error, file, { key: expectedKey, url: permission.host, signal: options.signal });
      }
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

  /**
   * A script is told that a request failed, and never why. What can be found out is found out here.
   *
   * @param {TransferBrokenError} broken
   * @param {Blob} file
   * @param {{ key: string, url: string, signal: AbortSignal | undefined }} sent
   * @returns {Promise<UploadError>}
   */
  async #brokenTransfer(broken, file, { key, url, signal }) {
    const origin = foreignTo(url, this.#options.origin);
    const facts = { key, cause: broken, origin };
    if (broken.allSent) {
      return new UploadError('unknown', broken.message, { ...facts, code: broken.timedOut ? 'NoAnswer' : 'ConnectionLost' });
    }
    try {
      await refuseUnreadable(file);
    } catch (error) {
      return /** @type {UploadError} */ (error);
    }
    if (broken.started) return new UploadError('refused', broken.message, { ...facts, code: 'ConnectionLost' });
    const { host } = new URL(url);
    if (origin === null) {
      return new UploadError('refused', `the store at ${host} cannot be reached`, { ...facts, code: 'StoreUnreachable' });
    }
    const remedy = `allow the origin ${origin} (in Countersign: --allow-origin ${origin})`;
    return await answersAtAll(url, this.#options.fetch, signal)
      ? new UploadError('refused', `the store at ${host} is there, but its CORS rules do not permit this page: ${remedy}`, {
        ...facts,
        code: 'OriginNotAllowed',
      })
      : new UploadError('refused', `the store at ${host} cannot be reached; or, if it can, its CORS rules stop this page: ${remedy}`, {
        ...facts,
        code: 'StoreUnreachable',
      });
  }
}

/**
 * @param {UploadError} error
 * @returns {boolean} whether the store refused it because the signature was too old
 */
function isExpiry(error) {
  return error.outcome === 'refused' && error.status === 403 && /\bexpired\b/i.test(error.message);
}

/**
 * @param {UploadError} error
 * @returns {boolean} whether nothing came back at all and nothing can have been stored
 */
function isNetworkFault(error) {
  if (error.outcome !== 'refused' || error.status !== 0) return false;
  return error.code === 'SignatureUnavailable' || NETWORK_FAULTS.has(error.code ?? '');
}
