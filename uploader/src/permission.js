/**
 * The application's answer to "may I upload?", in every shape that the official samples give it: version 1 and
 * version 4 signatures, `expire` as number, string or absent, either spelling of the version's name, and the
 * `{ url, formData }` form of the Node sample. An endpoint that was asked with `fields=1` may add `fields`: the form
 * itself, in order, so that a client sends what was signed without knowing what it means. Where `fields` is an object,
 * as in the examples, the rest of the answer is read from it too.
 */

import { readPolicy } from './policy_document.js';

/**
 * @typedef {object} Permission
 * @property {'V1' | 'V4'} version
 * @property {string} host the address to post to
 * @property {string | null} dir the key prefix that the policy permits
 * @property {string} policy base64, exactly as signed
 * @property {string} signature
 * @property {string | null} callback base64
 * @property {string | null} securityToken
 * @property {string} accessKeyId version 1: the key's id; version 4: the whole credential
 * @property {string | null} date version 4 only
 * @property {string | null} signatureVersion version 4 only
 * @property {[name: string, value: string][] | null} fields to send before the file, in order; null where not given
 * @property {number | null} expiresAt milliseconds since the epoch, on the server's clock
 */

/** The answer came, but it is not a permission: the message says what is missing. */
export class PermissionFormatError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = 'PermissionFormatError';
  }
}

/**
 * @param {string} body the answer's text; its Content-Type does not matter, samples send JSON as text/html
 * @returns {Permission}
 * @throws {PermissionFormatError}
 */
export function readPermission(body) {
  const answer = flatten(parseObject(body));
  const isV4 = textOf(answer, 'x_oss_credential', 'x-oss-credential') !== null;
  const policy = required(answer, 'policy');
  const fields = fieldsOf(answer);
  return {
    version: isV4 ? 'V4' : 'V1',
    host: postAddress(required(answer, 'host', 'url')),
    dir: textOf(answer, 'dir'),
    policy,
    signature: required(answer, 'signature', 'Signature', 'x_oss_signature', 'x-oss-signature'),
    callback: fields === null ? textOf(answer, 'callback') || null : valueIn(fields, 'callback') || null,
    fields,
    securityToken: textOf(answer, 'security_token', 'x_oss_security_token', 'x-oss-security-token') || null,
    accessKeyId: isV4
      ? required(answer, 'x_oss_credential', 'x-oss-credential')
      : required(answer, 'accessid', 'OSSAccessKeyId'),
    date: isV4 ? required(answer, 'x_oss_date', 'x-oss-date') : null,
    signatureVersion: isV4
      ? (textOf(answer, 'x_oss_signature_version', 'x-oss-signature-version', 'version') ?? 'OSS4-HMAC-SHA256')
      : null,
    expiresAt: expiryOf(answer, policy),
  };
}

/**
 * @param {Record<string, unknown>} answer
 * @returns {[string, string][] | null}
 */
function fieldsOf({ fields: given }) {
  if (given === undefined || given === null) return null;
  const fields = isRecord(given) ? Object.entries(given) : given;
  const isPair = (/** @type {unknown} */ pair) =>
    Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === 'string') && pair[0] !== 'file';
  if (!Array.isArray(fields) || !fields.every(isPair)) {
    throw new PermissionFormatError("the answer's fields are no list of names and values");
  }
  return fields;
}

/**
 * @param {[string, string][]} fields
 * @param {string} name
 * @returns {string | undefined}
 */
function valueIn(fields, name) {
  return fields.find(([other]) => other === name)?.[1];
}

/**
 * @param {string} body
 * @returns {Record<string, unknown>}
 */
function parseObject(body) {
  let value;
  try {
    value = JSON.parse(body.replace(/^\uFEFF/, ''));
  } catch {
    throw new PermissionFormatError('the answer is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new PermissionFormatError('the answer is not a JSON object');
  }
  return value;
}

/**
 * @param {Record<string, unknown>} answer
 * @returns {Record<string, unknown>}
 */
function flatten(answer) {
  const { formData, fields } = answer;
  return { ...answer, ...(isRecord(formData) ? formData : {}), ...(isRecord(fields) ? fields : {}) };
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
function isRecord(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * @param {Record<string, unknown>} answer
 * @param {string[]} names the same field's spellings
 * @returns {string | null}
 */
function textOf(answer, ...names) {
  for (const name of names) {
    const value = answer[name];
    if (typeof value === 'string') return value;
  }
  return null;
}

/**
 * @param {Record<string, unknown>} answer
 * @param {string[]} names
 * @returns {string}
 */
function required(answer, ...names) {
  const value = textOf(answer, ...names);
  if (value === null || value === '') {
    throw new PermissionFormatError(`the answer has no ${names[0]}`);
  }
  return value;
}

/**
 * @param {string} host
 * @returns {string}
 */
function postAddress(host) {
  // Anything else would be taken as relative, and the file sent to the page's own server.
  if (!/^https?:\/\/[^/]/i.test(host)) {
    throw new PermissionFormatError(`the answer's host is not an http address: ${host}`);
  }
  return host;
}

/**
 * @param {Record<string, unknown>} answer
 * @param {string} policy
 * @returns {number | null}
 */
function expiryOf(answer, policy) {
  const seconds = typeof answer.expire === 'string' ? Number.parseInt(answer.expire, 10) : answer.expire;
  if (typeof seconds === 'number' && Number.isFinite(seconds)) return seconds * 1000;
  return readPolicy(policy)?.expiresAt ?? null;
}
