/**
 * Says to a screen reader what a glance would show. Many files end within a second; then the sum is said instead of
 * each of them.
 */

import { byId } from './element.js';
import { say } from './language.js';

const QUIET_MS = 900;
const SINGLY_MAX = 3;

/** @type {Map<string, string>} */
const waiting = new Map();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/**
 * @param {string} name of the file
 * @param {string} state in words
 */
export function announce(name, state) {
  waiting.set(name, state);
  timer ??= setTimeout(speak, QUIET_MS);
}

/**
 * @param {string[]} names of the files whose upload begins
 */
export function announceStart(names) {
  byId('spoken').textContent = names.length === 1
    ? say('startedOne', { name: names[0] })
    : say('startedMany', { count: names.length });
}

function speak() {
  const states = [...waiting];
  waiting.clear();
  timer = undefined;
  byId('spoken').textContent = states.length <= SINGLY_MAX
    ? states.map(([name, state]) => say('spoken', { name, state })).join('. ')
    : say('spokenMany', { count: states.length, states: summary(states.map(([, state]) => state)) });
}

/**
 * @param {string[]} states
 * @returns {string} `12 × Confirmed by the application, 1 × Cancelled`
 */
export function summary(states) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const state of states) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, count]) => (states.length === 1 ? state : `${count} × ${state}`)).join(', ');
}
