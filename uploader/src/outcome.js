/**
 * What the store's answer means. The one thing that must never be confused: 203 says that the file is stored and
 * that the application did not confirm it. It is neither success nor a reason to upload again.
 *
 * Not every answer is the store's. A proxy before it answers with pages of its own; those prove nothing about the file,
 * except that one which was too large for the proxy never reached the store.
 */

import { elementText, htmlTitle, isHtmlPage, readErrorDocument } from './error_document.js';
import { UploadError } from './upload_error.js';

/**
 * @typedef {object} Success
 * @property {'done' | 'stored'} outcome `done`: the application confirmed; `stored`: nobody was asked
 * @property {string} key
 * @property {unknown} answer the application's answer, parsed where it is JSON, else its text; null without one
 * @property {number} status
 * @property {string | null} requestId
 */

/**
 * @param {import('./transfer.js').StoreAnswer} answer
 * @param {object} sent
 * @param {string} sent.key what the file should be called
 * @param {boolean} sent.keyIsChosenByStore then a name in the answer counts more
 * @param {boolean} sent.withCallback
 * @returns {Success}
 * @throws {UploadError}
 */
export function readOutcome(answer, { key, keyIsChosenByStore, withCallback }) {
  const { status, body } = answer;
  const requestId = headerOf(answer, 'x-oss-request-id');
  if (isHtmlPage(body)) throw notTheStores(answer, key, requestId);
  if (status === 203) throw notConfirmed(answer, key, requestId);
  if (status < 200 || status > 299) throw refused(answer, key, requestId);
  const value = body === '' ? null : parseOrText(body);
  const finalKey = (keyIsChosenByStore && keyIn(value)) || key;
  if (!withCallback || body === '') {
    return { outcome: 'stored', key: finalKey, answer: value, status, requestId };
  }
  const verdict = statusIn(value);
  if (verdict !== null && verdict.toLowerCase() !== 'ok') {
    const message = textIn(value, 'message') ?? `the application answered ${verdict}`;
    throw new UploadError('declined', message, { key: finalKey, answer: value, status, requestId, code: verdict });
  }
  return { outcome: 'done', key: finalKey, answer: value, status, requestId };
}

/**
 * @param {import('./transfer.js').StoreAnswer} answer
 * @param {string} key
 * @param {string | null} requestId
 */
function notConfirmed(answer, key, requestId) {
  const document = readErrorDocument(answer.body);
  return new UploadError('stored-not-confirmed', document.message ?? 'the application did not confirm', {
    ...document,
    code: document.code ?? 'CallbackFailed',
    requestId: document.requestId ?? requestId,
    status: answer.status,
    key,
  });
}

/**
 * @param {import('./transfer.js').StoreAnswer} answer
 * @param {string} key
 * @param {string | null} requestId
 */
function refused(answer, key, requestId) {
  const document = readErrorDocument(answer.body);
  if (document.code === null) return notTheStores(answer, key, requestId);
  return new UploadError('refused', document.message ?? `the store answered ${answer.status}`, {
    ...document,
    requestId: document.requestId ?? requestId,
    status: answer.status,
    key,
  });
}

/**
 * The store's refusals are XML with a code. What is not was answered by something before the store or in its place.
 * After a 5xx of a gateway, and after a page where success was expected, the store may have the file all the same.
 *
 * @param {import('./transfer.js').StoreAnswer} answer
 * @param {string} key
 * @param {string | null} requestId
 */
function notTheStores({ status, body }, key, requestId) {
  const facts = { key, requestId, status };
  if (status === 413) {
    const message = 'a proxy before the store does not take a body of this size (413); '
      + 'its limit must be raised, for instance with client_max_body_size of nginx';
    return new UploadError('refused', message, { ...facts, code: 'ProxyBodyTooLarge' });
  }
  const title = htmlTitle(body);
  const what = isHtmlPage(body) ? `a page of HTML${title === null ? '' : ` (“${title}”)`}` : 'no answer of a store';
  const message = `what came with status ${status} is ${what}: a proxy or another server gave it`;
  const mayBeStored = status < 300 || status > 499;
  return new UploadError(mayBeStored ? 'unknown' : 'refused', message, { ...facts, code: 'NotTheStore' });
}

/**
 * @param {import('./transfer.js').StoreAnswer} answer
 * @param {string} name lower case
 * @returns {string | null}
 */
function headerOf(answer, name) {
  return answer.headers.find(([header]) => header === name)?.[1] ?? null;
}

/**
 * @param {string} body
 * @returns {unknown}
 */
function parseOrText(body) {
  try {
    return JSON.parse(body.replace(/^\uFEFF/, ''));
  } catch {
    return body;
  }
}

/**
 * @param {unknown} value
 * @returns {string | null} the application's verdict, whatever its type
 */
function statusIn(value) {
  if (typeof value !== 'object' || value === null || !('Status' in value)) return null;
  return String(value.Status);
}

/**
 * @param {unknown} value
 * @param {string} name
 * @returns {string | null}
 */
function textIn(value, name) {
  if (typeof value !== 'object' || value === null) return null;
  const text = /** @type {Record<string, unknown>} */ (value)[name];
  return typeof text === 'string' && text !== '' ? text : null;
}

/**
 * @param {unknown} value the application's JSON, or the store's own XML
 * @returns {string | null}
 */
function keyIn(value) {
  if (typeof value === 'string') return elementText(value, 'Key');
  return textIn(value, 'key') ?? textIn(value, 'object') ?? textIn(value, 'filename');
}
