/**
 * Whether the device has a network, and what a failed request does not say: a browser tells a script neither that it is
 * offline nor that CORS stopped it.
 */

/** The `offline` event may come after the error that it explains. */
const LATE_MS = 500;
/** A device without any network still reaches itself, so waiting for `online` alone could last for ever. */
const TRY_ANYWAY_MS = 15_000;
const PROBE_MS = 4000;

/**
 * @typedef {object} NetworkSource `globalThis` in a browser
 * @property {{ onLine?: boolean }} [navigator]
 * @property {(type: string, listener: () => void) => void} [addEventListener]
 * @property {(type: string, listener: () => void) => void} [removeEventListener]
 */

/** The device's network. */
export class Network {
  #source;

  /** @param {NetworkSource} [source] */
  constructor(source = /** @type {NetworkSource} */ (globalThis)) {
    this.#source = source;
  }

  /** @returns {boolean} */
  get #isOffline() {
    return this.#source.navigator?.onLine === false;
  }

  /**
   * @param {AbortSignal} [signal]
   * @returns {Promise<boolean>} after a request failed: whether that was because the device lost its network
   */
  async wasLost(signal) {
    if (this.#source.navigator?.onLine === undefined) return false;
    if (!this.#isOffline) await this.#event('offline', LATE_MS, signal);
    return this.#isOffline;
  }

  /**
   * @param {AbortSignal} [signal]
   * @returns {Promise<void>} when it is worth trying again
   */
  async untilBack(signal) {
    if (this.#isOffline) await this.#event('online', TRY_ANYWAY_MS, signal);
  }

  /**
   * @param {'online' | 'offline'} type
   * @param {number} limitMs
   * @param {AbortSignal | undefined} signal
   * @returns {Promise<void>} at the event, at the limit or at the abort
   */
  #event(type, limitMs, signal) {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#source.removeEventListener?.(type, end);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, limitMs);
      this.#source.addEventListener?.(type, end);
      signal?.addEventListener('abort', end);
      if (signal?.aborted) end();
    });
  }
}

/**
 * The origin that the other side would have to permit.
 *
 * @param {string} url of the other side
 * @param {string | undefined} [origin] of the page
 * @returns {string | null} nothing where it is the page's own, or where there is no page
 */
export function foreignTo(url, origin = globalThis.location?.origin) {
  if (origin === undefined || origin === 'null') return null;
  return new URL(url, origin).origin === origin ? null : origin;
}

/**
 * Asks without wanting to read the answer, which CORS does not forbid: an answer of any kind proves that somebody is
 * there, and that it was CORS which stopped the real request.
 *
 * @param {string} url
 * @param {typeof globalThis.fetch} fetch
 * @param {AbortSignal} [signal]
 * @returns {Promise<boolean>}
 */
export async function answersAtAll(url, fetch, signal) {
  const controller = new AbortController();
  const end = () => controller.abort();
  const timer = setTimeout(end, PROBE_MS);
  signal?.addEventListener('abort', end);
  try {
    await fetch(url, {
      method: 'HEAD',
      mode: 'no-cors',
      credentials: 'omit',
      cache: 'no-store',
      signal: controller.signal,
    });
    return true;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  }
}
