/** What the application knows of an upload, and the way to look at the file. */

import { ApplicationStatusError, getJson, token } from './application.js';

/**
 * @typedef {object} LedgerRecord one upload that the application heard of, from `GET /uploads`
 * @property {string} key
 * @property {string | null} [name] the file's own, as its device called it
 * @property {number | string | null} [size]
 * @property {string} time when the callback came, RFC 3339
 * @property {string} [requestId]
 * @property {{ method: string, path: string, headers: [string, string][], body: string }} request
 * @property {{ status: number, contentType: string, body: string }} [answer]
 */

/**
 * @param {string} key
 * @returns {Promise<LedgerRecord | null>} nothing where the application was not told of it
 */
export async function findInLedger(key) {
  const { uploads } = await getJson(`/uploads?key=${encodeURIComponent(key)}`);
  return uploads.find((/** @type {LedgerRecord} */ record) => record.key === key) ?? null;
}

/**
 * @param {number} limit
 * @returns {Promise<LedgerRecord[]>} newest first
 */
export async function listLedger(limit) {
  const { uploads } = await getJson(`/uploads?limit=${limit}`);
  return uploads.filter((/** @type {LedgerRecord} */ { key }) => typeof key === 'string');
}

/**
 * That the application heard of an upload does not say that it agreed.
 *
 * @param {LedgerRecord} record
 * @returns {{ state: 'done' | 'declined' | 'stored-not-confirmed', message: string, answer: unknown }}
 */
export function verdictOf({ answer }) {
  if (answer === undefined) return { state: 'done', message: '', answer: null };
  if (answer.status !== 200) {
    return { state: 'stored-not-confirmed', message: `Error status : ${answer.status}.`, answer: null };
  }
  const value = parsedObject(answer.body);
  const verdict = value.Status;
  if (verdict === undefined || String(verdict).toLowerCase() === 'ok') return { state: 'done', message: '', answer: value };
  const message = typeof value.message === 'string' ? value.message : '';
  return { state: 'declined', message, answer: value };
}

/**
 * @param {string} body
 * @returns {Record<string, unknown>}
 */
function parsedObject(body) {
  try {
    const value = JSON.parse(body);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

/**
 * @param {string} key
 * @returns {string} leads to a signed address that lives ten minutes
 */
export function openAddress(key) {
  const query = new URLSearchParams(token === null ? { key } : { key, token });
  return `/open?${query}`;
}

/**
 * The signed address itself, which works without the token. The browser follows the redirect; what it leads to is
 * not read.
 *
 * @param {string} key
 * @returns {Promise<string>}
 */
export async function signedAddress(key) {
  const controller = new AbortController();
  const response = await fetch(openAddress(key), { signal: controller.signal, cache: 'no-store' });
  const address = response.url;
  controller.abort();
  if (!response.ok) throw new ApplicationStatusError(response.status);
  return address;
}
