/**
 * The application's part, in the test's own process: a handler that the instance calls, that verifies the callback,
 * remembers it, and lets a function of the test give the answer.
 */

import { createServer } from 'node:http';
import { whyForged } from './callback_signature.js';

const BODY_BYTES_MAX = 1024 * 1024;

/**
 * @typedef {object} Callback what the instance said about one upload
 * @property {string} key of the stored object
 * @property {number} size in bytes
 * @property {string} type
 * @property {string} name of the file as the uploader called it
 * @property {string} bucket
 * @property {Record<string, string>} values everything the body says; the members above are made of it
 * @property {string} body as it came
 * @property {string} url path and query as they came
 * @property {Record<string, string | string[] | undefined>} headers
 *
 * @typedef {Callback & { answer: Answer }} CallbackRecord
 *
 * @typedef {(callback: Callback) => unknown} CallbackHandler an object is the answer; nothing means `{"Status":"OK"}`
 */

/** An answer with a status of its own. Only 200 reaches the uploader; after any other he sees 203 CallbackFailed. */
export class Answer {
  /**
   * @param {number} status
   * @param {object} body is sent as JSON
   */
  constructor(status, body) {
    this.status = status;
    this.body = body;
  }
}

/**
 * A no that the uploader gets to read: status 200 with the application's own words.
 *
 * @param {string} message
 * @returns {{ Status: string, message: string }}
 */
export function decline(message) {
  return { Status: 'Declined', message };
}

/**
 * An answer with a status of its own, such as `answer(500, {})`.
 *
 * @param {number} status
 * @param {object} body is sent as JSON
 */
export function answer(status, body) {
  return new Answer(status, body);
}

/** The running handler; it ends with the process, or by `close`. */
export class Callbacks {
  /** @type {CallbackRecord[]} verified callbacks, each with the answer it got */
  records = [];
  /** @type {string[]} why requests were refused that are no callbacks of the instance */
  refused = [];
  /** @type {unknown[]} what the handler threw and no upload has thrown on yet */
  #thrown = [];
  #pinned;
  #handler;
  #server;
  /** What the instance calls. */
  url = '';

  /**
   * @param {import('./callback_signature.js').PinnedKey} pinned
   * @param {CallbackHandler} handler
   */
  constructor(pinned, handler) {
    this.#pinned = pinned;
    this.#handler = handler;
    this.#server = createServer((request, response) => {
      this.#receive(request).then(
        ({ status, body }) => reply(response, status, JSON.stringify(body)),
        () => response.destroy(),
      );
    });
    // A test that forgets to close it still ends.
    this.#server.unref();
  }

  /** @returns {Promise<this>} */
  async listen() {
    await new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', () => resolve(undefined));
    });
    const address = /** @type {import('node:net').AddressInfo} */ (this.#server.address());
    this.url = `http://127.0.0.1:${address.port}/callback`;
    return this;
  }

  /** Stops listening. */
  async close() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Throws what the handler threw, so that an assertion in it fails the test and not only the upload. */
  rethrow() {
    const [first] = this.#thrown.splice(0);
    if (first !== undefined) throw first;
  }

  /**
   * @param {import('node:http').IncomingMessage} request
   * @returns {Promise<Answer>}
   */
  async #receive(request) {
    const body = await read(request);
    const { url = '', headers } = request;
    const why = body === undefined ? 'the body is too long' : whyForged({ url, headers, body }, this.#pinned);
    if (body === undefined || why !== undefined) {
      this.refused.push(String(why));
      return new Answer(400, { Status: 'Refused', message: why });
    }
    const callback = describe(url, headers, body.toString());
    const given = await this.#ask(callback);
    this.records.push({ ...callback, answer: given });
    return given;
  }

  /**
   * @param {Callback} callback
   * @returns {Promise<Answer>}
   */
  async #ask(callback) {
    try {
      const given = (await this.#handler(callback)) ?? { Status: 'OK' };
      if (given instanceof Answer) return given;
      if (typeof given === 'object') return new Answer(200, given);
      throw new TypeError(`the handler returned ${String(given)}; it returns an object, decline(…), answer(…) or nothing`);
    } catch (thrown) {
      this.#thrown.push(thrown);
      return new Answer(500, { Status: 'Failed' });
    }
  }
}

/**
 * @param {import('node:http').IncomingMessage} request
 * @returns {Promise<Buffer | undefined>} nothing when it is too long
 */
async function read(request) {
  /** @type {Buffer[]} */
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes <= BODY_BYTES_MAX) chunks.push(chunk);
  }
  return bytes <= BODY_BYTES_MAX ? Buffer.concat(chunks) : undefined;
}

/**
 * @param {string} url
 * @param {Record<string, string | string[] | undefined>} headers
 * @param {string} body
 * @returns {Callback}
 */
function describe(url, headers, body) {
  const values = valuesIn(body, String(headers['content-type']));
  return {
    key: values['filename'] ?? values['object'] ?? '',
    size: Number(values['size'] ?? NaN),
    type: values['mimeType'] ?? '',
    name: values['name'] ?? '',
    bucket: String(headers['x-oss-bucket'] ?? ''),
    values,
    body,
    url,
    headers,
  };
}

/**
 * A template may expand to what only looks like JSON; then there are no values, and the body is there to be read.
 *
 * @param {string} body
 * @param {string} type
 * @returns {Record<string, string>}
 */
function valuesIn(body, type) {
  if (!type.startsWith('application/json')) return Object.fromEntries(new URLSearchParams(body));
  try {
    return JSON.parse(body) ?? {};
  } catch {
    return {};
  }
}

/**
 * @param {import('node:http').ServerResponse} response
 * @param {number} status
 * @param {string} body
 */
function reply(response, status, body) {
  // OSS refuses an answer without its length.
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
