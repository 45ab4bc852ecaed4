/**
 * The application behind this page: what it says about itself, and the token that it may demand. The token comes in
 * the page's address and is held in memory only.
 */

/**
 * @typedef {object} ServeFacts `GET /serve.json`
 * @property {boolean} switches whether signature version and callback may be chosen
 * @property {'own' | 'other' | 'none'} callback
 * @property {number} [retentionHours]
 * @property {{ maxBytes?: number, types?: string[] }} [limits]
 * @property {string} [dir]
 * @property {{ url: string, ready: boolean }} [store]
 * @property {{ url: string, qr: string } | null} [lan]
 * @property {string} [bucket]
 */

export const token = new URLSearchParams(location.search).get('token');

/** @returns {Record<string, string>} what every request to the application carries */
export function tokenHeaders() {
  return token === null ? {} : { 'x-countersign-token': token };
}

/** The application answered, but not with 200. */
export class ApplicationStatusError extends Error {
  /** @param {number} status */
  constructor(status) {
    super(`the application answered ${status}`);
    this.name = 'ApplicationStatusError';
    this.status = status;
  }
}

/**
 * @param {string} address
 * @returns {Promise<any>}
 */
export async function getJson(address) {
  const response = await fetch(address, { headers: tokenHeaders(), cache: 'no-store' });
  if (!response.ok) throw new ApplicationStatusError(response.status);
  return response.json();
}

/** @returns {Promise<ServeFacts>} */
export function fetchServeFacts() {
  return getJson('/serve.json');
}
