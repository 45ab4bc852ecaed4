/** A bucket for one test: signs as the application does, uploads as a browser does, and reads back what is stored. */

import { createHmac } from 'node:crypto';
import { URL } from 'node:url';
import { encodeForm } from './form.js';

/** The year 2100, in seconds since 1970. */
const EXPIRES = '4102444800';

/**
 * @typedef {object} SignOptions
 * @property {string} [path] the folder to sign for, such as `user/42/`
 * @property {import('./callbacks.js').Callbacks} [callbacks] whom the instance calls, instead of the bucket's
 *
 * @typedef {object} Permission
 * @property {string} url where the form goes
 * @property {[name: string, value: string][]} fields of the form in order; the file goes behind them
 *
 * @typedef {object} UploadOwnOptions
 * @property {string} [type] of the file
 * @property {Record<string, string>} [fields] instead of those that were signed, or further ones such as `x:user`
 *
 * @typedef {SignOptions & UploadOwnOptions} UploadOptions
 *
 * @typedef {object} Uploaded what the uploader sees
 * @property {number} status 200 with the application's answer; 203 when it gave none that counts
 * @property {any} json the answer, where it is JSON
 * @property {string} text
 * @property {Record<string, string | undefined>} headers
 * @property {string} key
 */

/** The store said no; `code`, `message` and `requestId` are its own. */
export class RefusedError extends Error {
  /**
   * @param {number} status
   * @param {string} text the store's answer
   */
  constructor(status, text) {
    const code = element(text, 'Code') ?? `status ${status}`;
    super(`${code}: ${element(text, 'Message') ?? text}`);
    this.name = 'RefusedError';
    this.code = code;
    this.status = status;
    this.requestId = element(text, 'RequestId');
    this.text = text;
  }
}

/** Made by `Instance.bucket`. */
export class Bucket {
  #instance;
  #callbacks;

  /**
   * @param {import('./instance.js').Instance} instance
   * @param {string} name
   * @param {import('./callbacks.js').Callbacks | undefined} callbacks
   */
  constructor(instance, name, callbacks) {
    this.#instance = instance;
    this.#callbacks = callbacks;
    this.name = name;
  }

  /** What ali-oss is made with: `new OSS(bucket.sdk)`. It wants its region with the prefix. */
  get sdk() {
    const { env } = this.#instance;
    return {
      endpoint: env['OSS_ENDPOINT'] ?? '',
      region: `oss-${env['OSS_REGION'] ?? ''}`,
      accessKeyId: env['OSS_ACCESS_KEY_ID'] ?? '',
      accessKeySecret: env['OSS_ACCESS_KEY_SECRET'] ?? '',
      bucket: this.name,
    };
  }

  /** @returns {Promise<this>} */
  async create() {
    const answer = await this.#request('PUT', '');
    if (answer.status !== 200) throw new RefusedError(answer.status, answer.body.toString());
    return this;
  }

  /**
   * Asks the application for permission to upload, as a browser would.
   *
   * @param {SignOptions} [options]
   * @returns {Promise<Permission>}
   */
  async sign({ path, callbacks = this.#callbacks } = {}) {
    const url = new URL(this.#instance.env['COUNTERSIGN_SIGNATURE_URL'] ?? '');
    url.searchParams.set('fields', '1');
    url.searchParams.set('bucket', this.name);
    if (path !== undefined) url.searchParams.set('path', path);
    if (callbacks !== undefined) url.searchParams.set('callback_url', callbacks.url);
    const { status, body } = await this.#instance.send(url);
    if (status !== 200) throw new Error(`the application signs nothing (${status}): ${body}`);
    const permission = JSON.parse(body.toString());
    return { url: permission.host, fields: permission.fields };
  }

  /**
   * Signs and sends the form.
   *
   * @param {string} name of the file; the key is this name in the folder that was signed for
   * @param {string | Uint8Array} content
   * @param {UploadOptions} [options]
   * @returns {Promise<Uploaded>}
   * @throws {RefusedError} when the store refuses it; and what the handler threw, if it did
   */
  async upload(name, content, { type = 'application/octet-stream', fields = {}, ...signing } = {}) {
    const permission = await this.sign(signing);
    const folder = (permission.fields.find(([field]) => field === 'key')?.[1] ?? '').replace(/[^/]*$/, '');
    const sent = new Map([...permission.fields, ['key', `${folder}${name}`], ['x:name', name], ...Object.entries(fields)]);
    const form = encodeForm([...sent], { name, type, content: Buffer.from(content) });
    const headers = { 'content-type': form.type };
    const answer = await this.#instance.send(permission.url, { method: 'POST', headers, body: form.body });
    (signing.callbacks ?? this.#callbacks)?.rethrow();
    const text = answer.body.toString();
    if (answer.status >= 300) throw new RefusedError(answer.status, text);
    return { status: answer.status, json: parsed(text), text, headers: answer.headers, key: sent.get('key') ?? '' };
  }

  /**
   * @param {string} key
   * @returns {Promise<Buffer | undefined>} what is stored; nothing when there is no such object
   */
  async read(key) {
    const { status, body } = await this.#request('GET', key);
    if (status === 404) return undefined;
    if (status !== 200) throw new RefusedError(status, body.toString());
    return body;
  }

  /**
   * A request signed with the instance's key, in the address and for a long time: a test may have stopped the clock.
   *
   * @param {string} method
   * @param {string} key
   */
  async #request(method, key) {
    const { endpoint, accessKeyId, accessKeySecret } = this.sdk;
    const signed = `${method}\n\n\n${EXPIRES}\n/${this.name}/${key}`;
    const url = new URL([this.name, ...key.split('/')].map(encodeURIComponent).join('/'), `${endpoint}/`);
    url.searchParams.set('OSSAccessKeyId', accessKeyId);
    url.searchParams.set('Expires', EXPIRES);
    url.searchParams.set('Signature', createHmac('sha1', accessKeySecret).update(signed).digest('base64'));
    return this.#instance.send(url, { method });
  }
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * @param {string} document
 * @param {string} name
 */
function element(document, name) {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(document)?.[1];
}
