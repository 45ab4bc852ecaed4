import assert from 'node:assert/strict';
import { test } from 'node:test';
import { titleCount, totalsOf } from '../page/totals.js';

/**
 * @param {import('../page/six_steps.js').RowState} state
 * @param {number} size
 * @param {number} [sent]
 */
const row = (state, size, sent) => ({
  state, file: { size }, progress: sent === undefined ? null : { sent }, canRetry: state === 'refused' || state === 'cancelled',
});

test('what is sent is counted in bytes, and what was not stored counts for nothing', () => {
  const totals = totalsOf([
    row('done', 100), row('sending', 100, 40), row('queued', 100), row('refused', 1000, 900), row('cancelled', 1000),
    row('declined', 10), row('unknown', 10), row('stored', 10),
  ]);
  assert.deepEqual([totals.count, totals.ended, totals.moving], [8, 6, 2]);
  assert.deepEqual([totals.bytes, totals.sentBytes], [330, 170]);
  assert.deepEqual([totals.confirmed, totals.stored, totals.trouble, totals.cancelled], [1, 1, 3, 1]);
  assert.equal(totals.retryable, 2);
});

test('the title counts from the second file on, and says at the end whether all is well', () => {
  const title = (/** @type {ReturnType<typeof row>[]} */ ...rows) => titleCount(totalsOf(rows));
  assert.equal(title(row('sending', 1)), '');
  assert.equal(title(row('sending', 1), row('done', 1)), '(1/2) ');
  assert.equal(title(row('done', 1), row('stored', 1)), '✓ 2 ');
  assert.equal(title(row('done', 1), row('refused', 1)), '! 1/2 ');
});
