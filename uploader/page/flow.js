/** Moves the picture of the way with the real uploads. It shows a tick only when an answer is there. */

import { byId } from './element.js';

/** @typedef {'idle' | 'sending' | 'waiting' | 'done' | 'stored' | 'failed'} Flow */

/** @type {Partial<Record<import('./six_steps.js').RowState, Flow>>} */
const OF_ENDED = {
  done: 'done', stored: 'stored', declined: 'stored', 'stored-not-confirmed': 'stored', refused: 'failed', cancelled: 'failed', unknown: 'failed',
};

let drawing = 0;

/**
 * With the next frame, once, however often it is asked.
 *
 * @param {readonly { state: import('./six_steps.js').RowState }[]} rows newest first
 */
export function showFlow(rows) {
  drawing ||= requestAnimationFrame(() => {
    drawing = 0;
    const picture = byId('flow');
    const flow = flowOf(rows);
    if (picture.dataset.flow !== flow) picture.dataset.flow = flow;
  });
}

/**
 * @param {readonly { state: import('./six_steps.js').RowState }[]} rows
 * @returns {Flow}
 */
function flowOf(rows) {
  if (rows.length === 0) return 'idle';
  if (rows.some(({ state }) => state === 'sending')) return 'sending';
  if (rows.some(({ state }) => state === 'confirming')) return 'waiting';
  const ended = rows.find(({ state }) => OF_ENDED[state] !== undefined);
  return ended === undefined ? 'sending' : /** @type {Flow} */ (OF_ENDED[ended.state]);
}
