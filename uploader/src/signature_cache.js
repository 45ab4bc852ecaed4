/**
 * Asks the application for permission to upload, once per path for as long as the permission holds.
 *
 * The expiry is on the server's clock, and phones' clocks are wrong by minutes. So the time that remains is taken
 * from the answer itself (`expire` minus its `Date` header) and only its passing is measured here. A cross-origin
 * application must expose `Date` for that; without it the two clocks are assumed equal.
 */

import { htmlTitle, isHtmlPage } from './error_document.js';
import { foreignTo } from './network.js';
import { PermissionFormatError, readPermission } from './permission.js';
import { UploadError, abortError } from './upload_error.js';

/**
 * @typedef {object} SignatureExchange what was asked and answered, kept for those who want to see it
 * @property {string} url
 * @property {number} startedAt
 * @property {number} endedAt
 * @property {number} status
 * @property {string} body
 * @property {number | null} usableUntil on the local clock; null: used once, never cached
 */

/**
 * @typedef {object} Signature
 * @property {import('./permission.js').Permission} permission
 * @property {SignatureExchange} exchange
 * @property {boolean} cached
 */

/**
 * @typedef {object} SignatureCacheOptions
 * @property {string} url the application's signature endpoint
 * @property {Record<string, string> | (() => Record<string, string>)} [headers] sent with every request
 * @property {typeof globalThis.fetch} [fetch]
 * @property {() => number} [now] milliseconds since the epoch
 * @property {number} [marginMs] how long before its expiry a permission is no longer used
 * @property {number} [timeoutMs]
 * @property {boolean} [askForFields] ask for the form's fields in order too, true unless said otherwise; an endpoint that
 *   knows nothing of it ignores the parameter
 */

/**
 * @typedef {object} Pending one request that is under way, and how many callers still want it
 * @property {Promise<Omit<Signature, 'cached'>>} promise
 * @property {AbortController} controller
 * @property {number} waiting
 */

/** Permissions by the address that was asked. Failures are never kept. */
export class SignatureCache {
  /** @type {Map<string, Omit<Signature, 'cached'>>} */
  #held = new Map();
  /** @type {Map<string, Pending>} */
  #pending = new Map();
  /** @type {Required<SignatureCacheOptions>} */
  #options;

  /** @param {SignatureCacheOptions} options */
  constructor(options) {
    this.#options = {
      headers: {},
      fetch: (...request) => globalThis.fetch(...request),
      now: () => Date.now(),
      marginMs: 3000,
      timeoutMs: 30_000,
      askForFields: true,
      ...options,
    };
  }

  /**
   * @param {string | undefined} path normalised; nothing asks for the application's own directory
   * @param {Record<string, string>} [parameters] further query parameters
   * @param {AbortSignal} [signal] ends this caller's wait; the request itself ends when no caller is left
   * @returns {Promise<Signature>}
   */
  async get(path, parameters = {}, signal = undefined) {
    if (signal?.aborted) throw abortError(signal);
    const url = this.#address(path, parameters);
    const held = this.#held.get(url);
    if (held !== undefined && this.#isUsable(held)) return { ...held, cached: true };
    this.#held.delete(url);
    const pending = this.#pending.get(url) ?? this.#start(url);
    pending.waiting += 1;
    try {
      return { ...(await untilAborted(pending.promise, signal)), cached: false };
    } finally {
      pending.waiting -= 1;
      if (pending.waiting === 0 && this.#pending.get(url) === pending) {
        this.#pending.delete(url);
        pending.controller.abort();
      }
    }
  }

  /**
   * Drops a permission that the store did not accept, so that the next upload asks anew.
   *
   * @param {SignatureExchange} exchange
   */
  forget(exchange) {
    if (this.#held.get(exchange.url)?.exchange === exchange) this.#held.delete(exchange.url);
  }

  /**
   * @param {string | undefined} path
   * @param {Record<string, string>} parameters
   * @returns {string}
   */
  #address(path, parameters) {
    const asked = new URLSearchParams(path === undefined ? parameters : { path, ...parameters });
    if (this.#options.askForFields) asked.set('fields', '1');
    const query = asked.toString();
    if (query === '') return this.#options.url;
    return this.#options.url + (this.#options.url.includes('?') ? '&' : '?') + query;
  }

  /** @param {Omit<Signature, 'cached'>} held */
  #isUsable(held) {
    const { usableUntil } = held.exchange;
    return usableUntil !== null && this.#options.now() < usableUntil;
  }

  /**
   * @param {string} url
   * @returns {Pending}
   */
  #start(url) {
    const controller = new AbortController();
    const promise = this.#ask(url, controller).finally(() => {
      if (this.#pending.get(url) === pending) this.#pending.delete(url);
    });
    promise.catch(() => {}); // when every caller has left, nobody else would catch it
    /** @type {Pending} */
    const pending = { promise, controller, waiting: 0 };
    this.#pending.set(url, pending);
    return pending;
  }

  /**
   * @param {string} url
   * @param {AbortController} controller
   * @returns {Promise<Omit<Signature, 'cached'>>}
   */
  async #ask(url, controller) {
    const { headers, fetch, now, marginMs, timeoutMs } = this.#options;
    const timer = setTimeout(() => controller.abort(new Error('no answer in time')), timeoutMs);
    const startedAt = now();
    let response, body;
    try {
      response = await fetch(url, {
        headers: { Accept: 'application/json', ...(typeof headers === 'function' ? headers() : headers) },
        cache: 'no-store',
        signal: controller.signal,
      });
      body = await response.text();
    } catch (cause) {
      throw this.#unreachable(url, cause);
    } finally {
      clearTimeout(timer);
    }
    if (!response.ok) throw unavailable(refusalText(response.status, body), response.status);
    const permission = this.#read(body, response.status);
    const serverNow = Date.parse(response.headers.get('date') ?? '');
    const remaining = permission.expiresAt === null
      ? null
      : permission.expiresAt - (Number.isNaN(serverNow) ? startedAt : serverNow) - marginMs;
    const usableUntil = remaining !== null && remaining > 0 ? startedAt + remaining : null;
    const exchange = { url, startedAt, endedAt: now(), status: response.status, body, usableUntil };
    if (usableUntil !== null) this.#held.set(url, { permission, exchange });
    return { permission, exchange };
  }

  /**
   * @param {string} url
   * @param {unknown} cause
   * @returns {UploadError}
   */
  #unreachable(url, cause) {
    const origin = foreignTo(url);
    const orStopped = origin === null ? '' : `; or, if it can, it does not permit pages of the origin ${origin} (CORS)`;
    return unavailable(`the application cannot be reached for a signature${orStopped}`, 0, cause, origin);
  }

  /**
   * @param {string} body
   * @param {number} status
   * @returns {import('./permission.js').Permission}
   */
  #read(body, status) {
    try {
      return readPermission(body);
    } catch (cause) {
      if (!(cause instanceof PermissionFormatError)) throw cause;
      throw unavailable(isHtmlPage(body) ? htmlText(status, body) : cause.message, status, cause);
    }
  }
}

/**
 * @param {string} message
 * @param {number} status
 * @param {unknown} [cause]
 * @param {string | null} [origin]
 * @returns {UploadError}
 */
function unavailable(message, status, cause, origin = null) {
  return new UploadError('refused', message, { code: 'SignatureUnavailable', status, cause, origin });
}

/**
 * @param {number} status
 * @param {string} body
 * @returns {string}
 */
function htmlText(status, body) {
  const title = htmlTitle(body);
  return `a page of HTML${title === null ? '' : ` (“${title}”)`} came with status ${status} instead of a signature`;
}

/**
 * @param {number} status
 * @param {string} body
 * @returns {string} the application's own words where it gave any
 */
function refusalText(status, body) {
  if (isHtmlPage(body)) return htmlText(status, body);
  try {
    const { message, error } = JSON.parse(body);
    const words = message ?? error;
    if (typeof words === 'string' && words !== '') return words;
  } catch {
    // Not JSON: the status has to do.
  }
  return `the application answered ${status} to the request for a signature`;
}

/**
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<T>}
 */
function untilAborted(promise, signal) {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(abortError(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
