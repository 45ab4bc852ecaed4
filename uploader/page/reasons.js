/**
 * Why an upload did not end well, in the page's language: the cause, what can be done about it, and where the error is
 * explained. Other people's words, raw documents and raw conditions stay in the details.
 */

import { languageCode, say } from './language.js';
import { bytes } from './quantities.js';

/** @typedef {import('../src/upload_error.js').UploadError} UploadError */
/** @typedef {import('./language.js').Word} Word */

/**
 * @typedef {object} Reason
 * @property {string} text the cause
 * @property {string | null} remedy
 * @property {string | null} command what to type for the remedy
 * @property {boolean} canRetry whether the same again may end differently
 */

/**
 * @typedef {object} Circumstances
 * @property {File} file
 * @property {{ min: number, max: number } | null} sizeRange of the signed policy
 * @property {string[] | null} types that the signed policy permits
 * @property {string} host of the store
 * @property {boolean} slept whether the page was hidden while it happened
 */

/**
 * @param {string} text
 * @param {{ remedy?: Word, command?: string | null, retry?: boolean }} [more]
 * @returns {Reason}
 */
function reason(text, { remedy, command = null, retry = true } = {}) {
  return { text, remedy: remedy === undefined ? null : say(remedy), command, canRetry: retry };
}

/** @type {Record<string, { text: Word, remedy?: Word, retry?: boolean }>} */
const BY_CODE = {
  FileAlreadyExists: { text: 'exists', remedy: 'existsRemedy', retry: false },
  SignatureDoesNotMatch: { text: 'badSignature', remedy: 'badSignatureRemedy' },
  InvalidAccessKeyId: { text: 'badSignature', remedy: 'badSignatureRemedy' },
  NoSuchBucket: { text: 'noBucket', remedy: 'noBucketRemedy' },
  SlowDown: { text: 'storeBusy' },
  FileUnreadable: { text: 'unreadable', retry: false },
};

/**
 * @param {UploadError} error
 * @param {Circumstances} circumstances
 * @returns {Reason}
 */
export function refusalReason(error, circumstances) {
  const { code, status } = error;
  const fixed = BY_CODE[code ?? ''];
  if (fixed !== undefined) return reason(say(fixed.text), fixed);
  if (code === 'SignatureUnavailable') return signatureReason(error);
  if (code === 'AccessDenied') return accessReason(error, circumstances);
  if (code === 'EntityTooLarge' || code === 'EntityTooSmall') return sizeReason(code, circumstances);
  if (status === 507) return reason(say('storeFull'), { remedy: 'storeFullRemedy' });
  return networkReason(error, circumstances)
    ?? reason(say('storeRefused', { code: code ?? status }), { retry: status === 0 || status >= 500 });
}

/**
 * @param {string} code
 * @param {Circumstances} circumstances
 * @returns {Reason}
 */
function sizeReason(code, { file, sizeRange }) {
  const text = code === 'EntityTooLarge'
    ? sizeRange ? say('tooLarge', { size: bytes(sizeRange.max) }) : say('tooLargePlain')
    : file.size === 0 ? say('emptyRefused') : say('tooSmall', { size: bytes(sizeRange?.min ?? 1) });
  return reason(text, { remedy: 'sizeRemedy', retry: false });
}

/**
 * @param {UploadError} error
 * @param {Circumstances} circumstances
 * @returns {Reason | null}
 */
function networkReason({ code, status, origin }, { host, slept }) {
  const command = origin === null ? null : `--allow-origin ${origin}`;
  switch (code) {
    case 'StoreUnreachable':
      return reason(say('storeGone', { host }), command === null ? {} : { remedy: 'storeGoneRemedy', command });
    case 'OriginNotAllowed':
      return reason(say('originNotAllowed'), { remedy: 'originRemedy', command });
    case 'ProxyBodyTooLarge':
      return reason(say('proxyTooLarge'), { remedy: 'proxyRemedy', command: 'client_max_body_size', retry: false });
    case 'NotTheStore':
      return reason(say('proxyAnswered', { status }), { remedy: 'proxyAnsweredRemedy' });
    case 'ConnectionLost':
      return reason(say(slept ? 'lostAsleep' : 'lostOnTheWay'));
    default:
      return null;
  }
}

/**
 * @param {UploadError} error
 * @returns {Reason}
 */
function signatureReason({ status, message, origin }) {
  if (status === 0) {
    return reason(say('applicationGone'), origin === null
      ? {}
      : { remedy: 'applicationGoneRemedy', command: `--allow-origin ${origin}` });
  }
  if (status === 401 || status === 403) return reason(say('tokenWrong'));
  if (/page of HTML/.test(message)) return reason(say('applicationHtml', { status }));
  // Only what the application itself said is quoted; our own words for programmers are not.
  return /^the (?:application|answer)/.test(message)
    ? reason(say('applicationStatus', { status }))
    : reason(say('applicationRefused', { reason: message }));
}

/**
 * @param {UploadError} error
 * @param {Circumstances} circumstances
 * @returns {Reason}
 */
function accessReason(error, { file, types }) {
  if (/expired/i.test(error.message)) return reason(say('permissionExpired'), { remedy: 'expiredRemedy' });
  const failed = /Policy Condition failed: (.*)$/is.exec(error.message);
  if (failed === null) return reason(say('storeRefused', { code: error.code ?? '' }));
  const [, field, operand] = conditionParts(failed[1]);
  if (/^(?:x-oss-)?content-type$/i.test(field)) {
    const type = kindOf(file.type);
    const text = types ? say('wrongType', { type, types: types.map(kindOf).join(', ') }) : say('wrongTypePlain', { type });
    return reason(text, { remedy: 'typeRemedy', retry: false });
  }
  if (field === 'key' && operand !== '') return reason(say('conditionKey', { prefix: operand }), { retry: false });
  const text = field === '' ? say('conditionOther') : say('conditionField', { field });
  return reason(text, { remedy: 'conditionRemedy', retry: false });
}

/**
 * @param {string} condition as the store prints it, `["eq", "$key", "a"]` or `["in", "$x", ["a"]]`
 * @returns {[operator: string, field: string, operand: string]} empty where it cannot be read
 */
function conditionParts(condition) {
  const found = /^\s*\[\s*"([^"]*)"\s*,\s*"\$?([^"]*)"\s*,\s*(?:"([^"]*)")?/.exec(condition);
  return found === null ? ['', '', ''] : [found[1], found[2], found[3] ?? ''];
}

/**
 * @param {string} type
 * @returns {string} `image/jpeg` as JPEG, what is less known as it is
 */
function kindOf(type) {
  const known = /^(?:image|video|audio)\/(?:x-)?([\w.-]+)(?:\+xml)?$|^application\/(pdf|zip)$/.exec(type);
  return known === null ? type || 'application/octet-stream' : (known[1] ?? known[2]).toUpperCase();
}

/** @type {[pattern: RegExp, text: Word, remedy?: Word][]} */
const CALLBACK_FAULTS = [
  [/forbidden to callback/i, 'reasonNotPermitted', 'remedyNotPermitted'],
  [/too long time|reply timeout/i, 'reasonTime', 'remedyTime'],
  [/not valid json/i, 'reasonJson', 'remedyJson'],
  [/can not connect/i, 'reasonConnect', 'remedyConnect'],
  [/conte?nt-length/i, 'reasonLength'],
  [/image info/i, 'reasonImage'],
  [/too many callback/i, 'reasonBusy'],
];

/**
 * @param {UploadError | null} error the store's, after a callback that failed
 * @returns {Reason}
 */
export function callbackReason(error) {
  const message = error?.message ?? '';
  for (const [pattern, text, remedy] of CALLBACK_FAULTS) {
    if (!pattern.test(message)) continue;
    const command = remedy === 'remedyNotPermitted' ? allowFlag(error?.callbackAllow ?? null) : null;
    return reason(say(text), { command, remedy: remedy === 'remedyNotPermitted' && command === null ? undefined : remedy });
  }
  const status = /error status\s*:\s*(\d{3})/i.exec(message);
  return status === null
    ? reason(say('reasonOther'))
    : reason(say('reasonStatus', { status: status[1] }), { remedy: 'remedyStatus' });
}

/**
 * @param {string | null} allow as the store names it, with or without the flag before it
 * @returns {string | null}
 */
function allowFlag(allow) {
  if (allow === null || allow === '') return null;
  return allow.startsWith('--') ? allow : `--callback-allow ${allow}`;
}

/**
 * @param {UploadError | null} error
 * @returns {string | null} where the error is explained, in the page's language
 */
export function explanation(error) {
  const address = error?.recommendDoc ?? null;
  if (address === null || !/^https?:\/\/[^/]/i.test(address)) return null;
  const url = new URL(address);
  url.searchParams.set('lang', languageCode());
  return url.href;
}
