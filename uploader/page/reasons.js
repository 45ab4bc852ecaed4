/** Why an upload did not end well, in words for the person who wanted it; codes stay in the details. */

import { say } from './language.js';
import { bytes } from './quantities.js';

/** @typedef {import('../src/upload_error.js').UploadError} UploadError */

/**
 * @typedef {object} Reason
 * @property {string} text
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
 * @param {UploadError} error
 * @param {Circumstances} circumstances
 * @returns {Reason}
 */
export function refusalReason(error, circumstances) {
  const fixed = fixedReason(error, circumstances);
  if (fixed !== null) return fixed;
  if (error.code === 'SignatureUnavailable') return signatureReason(error);
  if (error.code === 'AccessDenied') return accessReason(error, circumstances);
  return { text: error.message, canRetry: error.status === 0 || error.status >= 500 };
}

/**
 * @param {UploadError} error
 * @param {Circumstances} circumstances
 * @returns {Reason | null}
 */
function fixedReason(error, { file, sizeRange, host, slept }) {
  switch (error.code) {
    case 'EntityTooLarge':
      return { text: sizeRange ? say('tooLarge', { size: bytes(sizeRange.max) }) : say('tooLargePlain'), canRetry: false };
    case 'EntityTooSmall':
      return {
        text: file.size === 0 ? say('emptyRefused') : say('tooSmall', { size: bytes(sizeRange?.min ?? 1) }),
        canRetry: false,
      };
    case 'FileAlreadyExists':
      return { text: say('exists'), canRetry: false };
    case 'SignatureDoesNotMatch':
    case 'InvalidAccessKeyId':
      return { text: say('badSignature'), canRetry: true };
    case 'NoSuchBucket':
      return { text: say('noBucket'), canRetry: true };
    case 'SlowDown':
      return { text: say('storeBusy'), canRetry: true };
    case 'StoreUnreachable':
      return { text: say('storeGone', { host }), canRetry: true };
    case 'ConnectionLost':
      return { text: say(slept ? 'lostAsleep' : 'lostOnTheWay'), canRetry: true };
    case 'FileUnreadable':
      return { text: say('unreadable'), canRetry: false };
    default:
      return error.status === 507 ? { text: say('storeFull'), canRetry: true } : null;
  }
}

/**
 * @param {UploadError} error
 * @returns {Reason}
 */
function signatureReason(error) {
  if (error.status === 0) return { text: say('applicationGone'), canRetry: true };
  if (error.status === 401 || error.status === 403) return { text: say('tokenWrong'), canRetry: true };
  return { text: say('applicationRefused', { reason: error.message }), canRetry: true };
}

/**
 * @param {UploadError} error
 * @param {Circumstances} circumstances
 * @returns {Reason}
 */
function accessReason(error, { file, types }) {
  if (/policy expired/i.test(error.message)) return { text: say('permissionExpired'), canRetry: true };
  const failed = /Policy Condition failed: (.*)$/is.exec(error.message);
  if (failed === null) return { text: error.message, canRetry: true };
  if (/content-type/i.test(failed[1])) {
    const type = kindOf(file.type);
    const text = types ? say('wrongType', { type, types: types.map(kindOf).join(', ') }) : say('wrongTypePlain', { type });
    return { text, canRetry: false };
  }
  return { text: say('conditionFailed', { condition: failed[1] }), canRetry: false };
}

/**
 * @param {string} type
 * @returns {string} `image/jpeg` as JPEG, what is less known as it is
 */
function kindOf(type) {
  const known = /^(?:image|video|audio)\/(?:x-)?([\w.-]+)(?:\+xml)?$|^application\/(pdf|zip)$/.exec(type);
  return known === null ? type || 'application/octet-stream' : (known[1] ?? known[2]).toUpperCase();
}

/** @type {[pattern: RegExp, word: import('./language.js').Word][]} */
const CALLBACK_FAULTS = [
  [/too long time|reply timeout/i, 'reasonTime'],
  [/not valid json/i, 'reasonJson'],
  [/can not connect/i, 'reasonConnect'],
  [/conte?nt-length/i, 'reasonLength'],
  [/image info/i, 'reasonImage'],
  [/too many callback/i, 'reasonBusy'],
];

/**
 * @param {string} message the store's, after a callback that failed
 * @returns {string}
 */
export function callbackReason(message) {
  for (const [pattern, word] of CALLBACK_FAULTS) if (pattern.test(message)) return say(word);
  const status = /error status\s*:\s*(\d{3})/i.exec(message);
  return status === null ? message : say('reasonStatus', { status: status[1] });
}
