/** Notices what does not happen: bytes that do not go, and an answer that does not come. Looks once a second. */

import { askWhileWaiting } from './inquiry.js';

const LOOK_MS = 1000;
const STALLED_MS = 4000;
/** The store gives the application five seconds; whoever has waited this long wants to know more. */
const ASK_MS = 30_000;
const ASK_EVERY_MS = 10_000;

/** @param {readonly import('./upload_row.js').UploadRow[]} rows */
export function watchRows(rows) {
  setInterval(() => {
    const now = Date.now();
    for (const row of rows) look(row, now);
  }, LOOK_MS);
}

/**
 * @param {import('./upload_row.js').UploadRow} row
 * @param {number} now
 */
function look(row, now) {
  const still = now - row.movedAt;
  if (row.state === 'sending' && still >= STALLED_MS) {
    row.stalledSeconds = Math.floor(still / 1000);
    row.draw();
  }
  if (row.state === 'confirming' && still >= ASK_MS) {
    const isTime = row.waitedSeconds === 0 || Math.floor(still / ASK_EVERY_MS) > Math.floor((row.waitedSeconds * 1000) / ASK_EVERY_MS);
    row.waitedSeconds = Math.floor(still / 1000);
    row.draw();
    if (isTime) void askWhileWaiting(row);
  }
}
