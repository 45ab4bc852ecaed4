/** Why an upload did not end as hoped. What matters first is always the same: is the file stored? */

/**
 * @typedef {'declined' | 'stored-not-confirmed' | 'refused' | 'unknown'} FailedOutcome
 *
 * | outcome | stored | meaning |
 * |---|---|---|
 * | declined | yes | the application was asked and said no |
 * | stored-not-confirmed | yes | the application could not be asked, or gave no usable answer (203) |
 * | refused | no | the store, the application or the file itself stopped the upload |
 * | unknown | maybe | no answer of the store came after everything had been sent |
 *
 * Besides the store's own codes, `code` may be:
 *
 * | code | meaning |
 * |---|---|
 * | SignatureUnavailable | the application gave no permission |
 * | StoreUnreachable | nothing could be sent: no store there, or its CORS rules do not know this page's `origin` |
 * | OriginNotAllowed | the store is there, and its CORS rules do not know this page's `origin` |
 * | ConnectionLost | the connection broke, before or after everything was sent |
 * | NoAnswer | everything was sent, and no answer came within the time for it |
 * | ProxyBodyTooLarge | a proxy before the store has a smaller limit for bodies |
 * | NotTheStore | a proxy or another server answered in the store's place |
 * | FileUnreadable | the file changed or went away since it was chosen |
 */

/** Thrown for every upload that was neither done, nor stored as wished, nor aborted by the caller. */
export class UploadError extends Error {
  /**
   * @param {FailedOutcome} outcome
   * @param {string} message
   * @param {object} [facts]
   * @param {string | null} [facts.code]
   * @param {number} [facts.status] of the answer that decided, 0 where none came
   * @param {string | null} [facts.requestId]
   * @param {string | null} [facts.ec]
   * @param {string | null} [facts.key]
   * @param {string | null} [facts.callbackAllow] the flag that would permit a refused callback destination
   * @param {string | null} [facts.recommendDoc] where the store explains the error
   * @param {string | null} [facts.origin] this page's, where the other side may not permit it
   * @param {unknown} [facts.answer] the application's answer, parsed where it is JSON
   * @param {boolean} [facts.local] found here, before anything was sent
   * @param {unknown} [facts.cause]
   */
  constructor(outcome, message, facts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = 'UploadError';
    this.outcome = outcome;
    this.code = facts.code ?? null;
    this.status = facts.status ?? 0;
    this.requestId = facts.requestId ?? null;
    this.ec = facts.ec ?? null;
    this.key = facts.key ?? null;
    this.callbackAllow = facts.callbackAllow ?? null;
    this.recommendDoc = facts.recommendDoc ?? null;
    this.origin = facts.origin ?? null;
    this.answer = facts.answer ?? null;
    this.local = facts.local ?? false;
    /** @type {import('./uploader.js').Conversation | null} */
    this.conversation = null;
  }

  /** @returns {boolean | null} null where nobody knows */
  get stored() {
    if (this.outcome === 'unknown') return null;
    return this.outcome !== 'refused';
  }
}

/**
 * The error that every abortable browser interface gives; the caller's own reason is its cause.
 *
 * @param {AbortSignal} signal
 * @returns {DOMException}
 */
export function abortError(signal) {
  const { reason } = signal;
  if (reason instanceof DOMException && reason.name === 'AbortError') return reason;
  const error = new DOMException('The upload was aborted.', 'AbortError');
  Object.defineProperty(error, 'cause', { value: reason, configurable: true });
  return error;
}
