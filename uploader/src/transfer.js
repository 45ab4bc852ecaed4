/**
 * Sends one form and says how far it is. `XMLHttpRequest`, because it alone reports what has left the browser.
 */

import { abortError } from './upload_error.js';

/**
 * @typedef {object} StoreAnswer
 * @property {number} status
 * @property {[name: string, value: string][]} headers those that the store's CORS rules expose
 * @property {string} body
 */

/**
 * @typedef {object} TransferPlan
 * @property {string} url
 * @property {FormData} form
 * @property {number} fileBytes
 * @property {AbortSignal} [signal]
 * @property {number} [answerTimeoutMs] from the last byte on
 * @property {(sentBytes: number) => void} onProgress of the file, without the form around it
 * @property {() => void} onSent everything has left; what follows is the store's and the application's time
 * @property {() => XMLHttpRequest} [createRequest]
 */

/** No answer came. What matters is whether everything had been sent: then the store may have kept it. */
export class TransferBrokenError extends Error {
  /** @param {{ started: boolean, allSent: boolean, timedOut?: boolean }} extent */
  constructor({ started, allSent, timedOut = false }) {
    super(timedOut
      ? 'everything was sent, and no answer came in time'
      : allSent ? 'the connection broke after everything was sent' : 'the connection broke');
    this.name = 'TransferBrokenError';
    this.started = started;
    this.allSent = allSent;
    this.timedOut = timedOut;
  }
}

/**
 * @param {TransferPlan} plan
 * @returns {Promise<StoreAnswer>}
 * @throws {TransferBrokenError | DOMException} the latter an AbortError
 */
export function transfer({
  url, form, fileBytes, signal, answerTimeoutMs, onProgress, onSent, createRequest = () => new XMLHttpRequest(),
}) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return void reject(abortError(signal));
    const request = createRequest();
    const extent = { started: false, allSent: false };
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const sent = () => {
      if (extent.allSent) return;
      extent.allSent = true;
      if (answerTimeoutMs !== undefined) timer = setTimeout(onTimeout, answerTimeoutMs);
      onSent();
    };
    const onTimeout = () => {
      reject(new TransferBrokenError({ ...extent, timedOut: true }));
      request.abort();
    };
    const onAbort = () => {
      reject(abortError(/** @type {AbortSignal} */ (signal)));
      request.abort();
    };
    request.upload.onprogress = ({ loaded, total }) => {
      extent.started ||= loaded > 0;
      onProgress(Math.min(fileBytes, Math.max(0, loaded - Math.max(0, total - fileBytes))));
    };
    request.upload.onload = sent;
    request.onload = () => resolve(answerOf(request));
    request.onerror = () => reject(new TransferBrokenError(extent));
    request.onabort = () => reject(new TransferBrokenError(extent));
    request.onloadend = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    request.open('POST', url);
    request.send(form);
  });
}

/**
 * @param {XMLHttpRequest} request
 * @returns {StoreAnswer}
 */
function answerOf(request) {
  const headers = request.getAllResponseHeaders().trim().split(/\r?\n/).filter((line) => line.includes(':'));
  return {
    status: request.status,
    headers: headers.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
    }),
    body: request.responseText,
  };
}
