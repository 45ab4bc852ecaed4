/**
 * Asks the application about an upload whose answer did not come. After the last byte only two know whether the file
 * arrived: the store, which is silent, and the application, which keeps a ledger.
 */

import { UploadError } from '/uploader/index.js';
import { ApplicationStatusError } from './application.js';
import { findInLedger, verdictOf } from './ledger.js';

/** @typedef {import('./upload_row.js').UploadRow} UploadRow */

/** The ledger is asked this long after the connection broke; the callback may still be under way. */
const ASK_AFTER_MS = [0, 1000, 2000];

/** @type {() => boolean} */
let callbackVisible = () => true;

/** @param {() => boolean} visible whether the application that is called back is this server's own */
export function knowCallback(visible) {
  callbackVisible = visible;
}

/**
 * Ends an upload by hand. Before the last byte that is a cancellation; after it nothing can be taken back, and what
 * became of the file has to be asked.
 *
 * @param {UploadRow} row
 */
export function stopWaiting(row) {
  const wasSent = row.state === 'confirming';
  if (wasSent) {
    const facts = { code: 'StoppedWaiting', key: row.conversation?.key ?? null };
    row.error = new UploadError('unknown', 'the answer was not waited for', facts);
    row.key = row.error.key;
    row.inquiry = 'asking';
    row.enter('unknown');
  }
  row.controller.abort();
  if (wasSent) void askLedger(row);
}

/** @param {UploadRow} row */
export async function askLedger(row) {
  const { controller } = row;
  row.inquiry = 'asking';
  row.enter('unknown');
  if (!callbackVisible() || !row.withCallback || row.key === null) {
    row.inquiry = 'notVisible';
    return row.enter('unknown');
  }
  for (const wait of ASK_AFTER_MS) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    await lookIntoLedger(row);
    // Meanwhile it may have been uploaded again.
    if (row.controller !== controller || row.state !== 'unknown') return;
    if (settleFromLedger(row)) return;
  }
  row.inquiry = row.ledger === 'failed' ? 'askFailed' : 'notKnown';
  row.enter('unknown');
}

/**
 * While the answer is still waited for: what the application already knows need not be waited for any longer.
 *
 * @param {UploadRow} row
 */
export async function askWhileWaiting(row) {
  const { controller } = row;
  row.key = row.conversation?.key ?? null;
  await lookIntoLedger(row);
  if (row.controller !== controller || row.state !== 'confirming') return;
  if (settleFromLedger(row)) controller.abort();
  else row.key = null;
}

/**
 * @param {UploadRow} row
 * @returns {boolean} whether the ledger knows how it ended
 */
function settleFromLedger(row) {
  if (row.ledger === null || typeof row.ledger !== 'object') return false;
  const { state, message, answer } = verdictOf(row.ledger);
  row.error = state === 'done' ? null : new UploadError(state, message, { key: row.key, answer });
  row.enter(state);
  return true;
}

/**
 * Steps 4 and 5 happen between store and application; the browser learns of them from the ledger.
 *
 * @param {UploadRow} row
 */
export async function lookIntoLedger(row) {
  if (!callbackVisible() || row.key === null) return;
  try {
    row.ledger = await findInLedger(row.key);
    row.calledBackAt = row.ledger === null ? null : Date.parse(row.ledger.time);
  } catch (error) {
    row.ledger = error instanceof ApplicationStatusError && error.status === 404 ? null : 'failed';
  }
  row.redraw();
}
