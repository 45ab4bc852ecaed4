/** The one line of a row's state, and what can be done about it where it did not end well. */

import { say } from './language.js';
import { bytes, remaining } from './quantities.js';
import { callbackReason, refusalReason } from './reasons.js';

/** @typedef {import('./upload_row.js').UploadRow} UploadRow */

/**
 * @param {UploadRow} row
 * @returns {string}
 */
export function stateText(row) {
  switch (row.state) {
    case 'sending':
      return sendingText(row);
    case 'confirming':
      return confirmingText(row);
    case 'stored-not-confirmed':
      return say('notConfirmed', { reason: callbackReason(row.error).text });
    case 'declined':
      return declinedText(row);
    case 'unknown':
      return say(row.inquiry, { cause: unknownCause(row) });
    case 'refused':
      return refusal(row)?.text ?? '';
    default:
      return say(row.state);
  }
}

/**
 * @param {UploadRow} row
 * @returns {import('./reasons.js').Reason | null} nothing where all is well
 */
export function reasonOf(row) {
  if (row.state === 'refused') return refusal(row);
  return row.state === 'stored-not-confirmed' ? callbackReason(row.error) : null;
}

/**
 * @param {UploadRow} row
 * @returns {import('./reasons.js').Reason | null}
 */
function refusal({ error, conversation, file, sizeRange, types, slept }) {
  if (error === null) return null;
  const address = conversation?.form?.url;
  const host = address === undefined ? '' : new URL(address).host;
  return refusalReason(error, { file, sizeRange, types, host, slept });
}

/**
 * @param {UploadRow} row
 * @returns {string}
 */
function sendingText({ progress, stalledSeconds }) {
  const { sent = 0, total = 0, bytesPerSecond = null, secondsLeft = null } = progress ?? {};
  const percent = total === 0 ? 100 : Math.floor((sent / total) * 100);
  if (stalledSeconds > 0) return say('stalled', { percent, seconds: stalledSeconds });
  if (bytesPerSecond === null || secondsLeft === null) return say('sending', { percent });
  return say('sendingRate', { percent, rate: bytes(Math.round(bytesPerSecond)), left: remaining(secondsLeft) });
}

/**
 * @param {UploadRow} row
 * @returns {string}
 */
function confirmingText({ waitedSeconds, ledger }) {
  if (waitedSeconds === 0) return say('confirming');
  return say(ledger === null ? 'confirmingLong' : 'confirmingBlind', { seconds: waitedSeconds });
}

/**
 * The application's own words are quoted: they are in whatever language it speaks.
 *
 * @param {UploadRow} row
 * @returns {string}
 */
function declinedText({ error }) {
  const { answer, message } = error ?? {};
  const words = typeof answer === 'object' && answer !== null ? /** @type {Record<string, unknown>} */ (answer).message : null;
  return typeof words === 'string' && words !== '' ? say('declined', { reason: message ?? words }) : say('declinedPlain');
}

/**
 * @param {UploadRow} row
 * @returns {string}
 */
function unknownCause({ error }) {
  switch (error?.code) {
    case 'StoppedWaiting':
      return say('stopped');
    case 'NoAnswer':
      return say('noAnswer');
    case 'NotTheStore':
      return say('foreignAnswer', { status: error.status });
    default:
      return say('lost');
  }
}
