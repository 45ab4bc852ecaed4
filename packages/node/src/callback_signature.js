/**
 * Says whether a callback comes from the instance: RSA with MD5 over path, query and body, by the one pinned key. The
 * address of a key in the request is compared and never fetched: who may choose it could sign for the store.
 */

import { createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

/**
 * @typedef {object} PinnedKey
 * @property {import('node:crypto').KeyObject} key
 * @property {string} url what `x-oss-pub-key-url` must say, decoded
 *
 * @typedef {object} SignedRequest
 * @property {string} url path and query as they came
 * @property {Record<string, string | string[] | undefined>} headers
 * @property {Uint8Array} body
 */

/**
 * @param {Record<string, string>} environment of the instance
 * @returns {PinnedKey}
 */
export function pinnedKey(environment) {
  const file = environment['COUNTERSIGN_CALLBACK_KEY_FILE'] ?? '';
  return { key: createPublicKey(readFileSync(file)), url: environment['COUNTERSIGN_CALLBACK_KEY_URL'] ?? '' };
}

/**
 * @param {SignedRequest} request
 * @param {PinnedKey} pinned
 * @returns {string | undefined} why it is not the instance's callback; nothing when it is
 */
export function whyForged({ url, headers, body }, pinned) {
  const keyUrl = Buffer.from(String(headers['x-oss-pub-key-url'] ?? ''), 'base64').toString();
  if (keyUrl !== pinned.url) return `x-oss-pub-key-url names ${JSON.stringify(keyUrl)} and not ${pinned.url}`;
  const signature = Buffer.from(String(headers['authorization'] ?? ''), 'base64');
  const signed = signedText(url, body);
  if (signed === undefined) return 'the path is not percent-encoded UTF-8';
  return verify('RSA-MD5', signed, pinned.key, signature) ? undefined : 'the signature does not fit path, query and body';
}

/**
 * The path decoded, the query as it stands, a line feed, the body.
 *
 * @param {string} url
 * @param {Uint8Array} body
 * @returns {Buffer | undefined}
 */
function signedText(url, body) {
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? '' : url.slice(mark);
  try {
    return Buffer.concat([Buffer.from(`${decodeURIComponent(path)}${query}\n`), body]);
  } catch {
    return undefined;
  }
}
