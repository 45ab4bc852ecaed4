/**
 * Requests to the instance, over sockets of their own: no proxy of the environment is asked, no connection stays open,
 * and it does not matter what a test's environment (jsdom) has put in the place of fetch and FormData.
 */

import { request } from 'node:http';

const SILENCE_MS_MAX = 30_000;

/**
 * @typedef {object} Reply
 * @property {number} status
 * @property {Record<string, string | undefined>} headers names in lower case
 * @property {Buffer} body
 */

/**
 * @param {string | URL} url
 * @param {{ method?: string, headers?: Record<string, string | number>, body?: Uint8Array }} [what]
 * @returns {Promise<Reply>}
 */
export function send(url, { method = 'GET', headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': body.byteLength };
    const options = { method, headers: { ...headers, ...length }, agent: false, timeout: SILENCE_MS_MAX };
    const sent = request(url, options, (answer) => {
      /** @type {Buffer[]} */
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.once('error', reject);
      answer.once('end', () => {
        const received = /** @type {Record<string, string | undefined>} */ (answer.headers);
        resolve({ status: answer.statusCode ?? 0, headers: received, body: Buffer.concat(chunks) });
      });
    });
    sent.once('timeout', () => sent.destroy(new Error(`${url} is silent for ${SILENCE_MS_MAX / 1000} s`)));
    sent.once('error', reject);
    sent.end(body);
  });
}
