/** What the application knows of an upload, and the way to look at the file. */

import { ApplicationStatusError, getJson, token } from './application.js';

/**
 * @typedef {object} LedgerRecord one acknowledged upload, from `GET /uploads?key=`
 * @property {string} key
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
