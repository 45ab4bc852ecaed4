/** Sizes, times and rates, written as people read them. */

import { languageCode, say } from './language.js';

const UNITS = ['KB', 'MB', 'GB', 'TB'];

/**
 * @param {number} count in units of 1024, as file managers and the store's limits count
 * @returns {string} such as `3.1 MB`
 */
export function bytes(count) {
  if (count < 1024) return say(count === 1 ? 'oneByte' : 'bytes', { count });
  let value = count / 1024;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = value >= 100 || Number.isInteger(value) ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/**
 * @param {number} milliseconds
 * @returns {string} short enough for a step of the strip
 */
export function elapsed(milliseconds) {
  if (milliseconds < 1000) return `${Math.max(0, Math.round(milliseconds))} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(milliseconds < 10_000 ? 2 : 1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/**
 * @param {number} seconds
 * @returns {string}
 */
export function remaining(seconds) {
  if (seconds < 90) return say('seconds', { count: Math.max(1, Math.ceil(seconds)) });
  return say('minutes', { count: Math.ceil(seconds / 60) });
}

/**
 * @param {number} time milliseconds since the epoch
 * @returns {string} the time of day, to the second
 */
export function clockTime(time) {
  return new Date(time).toLocaleTimeString(languageCode() === 'zh' ? 'zh-CN' : 'en-GB');
}

/**
 * @param {number} time milliseconds since the epoch
 * @returns {string} the time of day; with the date where that is another day
 */
export function dayAndTime(time) {
  const locale = languageCode() === 'zh' ? 'zh-CN' : 'en-GB';
  const when = new Date(time);
  const clock = when.toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit' });
  if (when.toDateString() === new Date().toDateString()) return clock;
  return `${when.toLocaleDateString(locale, { month: 'short', day: 'numeric' })} ${clock}`;
}
