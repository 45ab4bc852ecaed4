/** What many files are together. Pure counting; who draws it is another matter. */

/**
 * @typedef {object} CountedRow
 * @property {import('./six_steps.js').RowState} state
 * @property {{ size: number }} file
 * @property {{ sent: number } | null} progress
 * @property {boolean} canRetry whether sending it again may end differently
 */

/**
 * @typedef {object} Totals
 * @property {number} count of files
 * @property {number} ended
 * @property {number} moving not ended
 * @property {number} confirmed
 * @property {number} stored without a callback
 * @property {number} trouble refused, declined, not confirmed or unknown
 * @property {number} cancelled
 * @property {number} retryable what "retry all" would send: nothing of it is stored
 * @property {number} bytes of all files but those that ended without being stored
 * @property {number} sentBytes
 */

const MOVING = new Set(['queued', 'signing', 'sending', 'confirming', 'offline']);

/**
 * @param {Iterable<CountedRow>} rows
 * @returns {Totals}
 */
export function totalsOf(rows) {
  const totals = {
    count: 0, ended: 0, moving: 0, confirmed: 0, stored: 0, trouble: 0, cancelled: 0, retryable: 0, bytes: 0, sentBytes: 0,
  };
  for (const { state, file, progress, canRetry } of rows) {
    const moving = MOVING.has(state);
    const isNotStored = state === 'refused' || state === 'cancelled';
    totals.count += 1;
    totals.moving += Number(moving);
    totals.ended += Number(!moving);
    totals.confirmed += Number(state === 'done');
    totals.stored += Number(state === 'stored');
    totals.cancelled += Number(state === 'cancelled');
    totals.trouble += Number(['refused', 'declined', 'stored-not-confirmed', 'unknown'].includes(state));
    totals.retryable += Number(canRetry);
    totals.bytes += isNotStored ? 0 : file.size;
    totals.sentBytes += isNotStored ? 0 : moving ? Math.min(file.size, progress?.sent ?? 0) : file.size;
  }
  return totals;
}

/**
 * @param {Totals} totals
 * @returns {string} what stands before the page's name in the title; nothing for a single file
 */
export function titleCount({ count, ended, moving, trouble }) {
  if (count < 2) return '';
  if (moving > 0) return `(${ended}/${count}) `;
  return trouble > 0 ? `! ${count - trouble}/${count} ` : `✓ ${count} `;
}
