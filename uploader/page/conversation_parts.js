/** The pieces that the six steps are written with: a request's first line, texts, tables, what folds away. */

import { decodeBase64 } from '/uploader/policy_document.js';
import { element } from './element.js';

/** Longer values are shown on one line; a press shows them whole. */
const SHOWN_MAX = 80;

/**
 * @param {string} strong the method or the status
 * @param {string} rest
 * @returns {HTMLElement}
 */
export function line(strong, rest) {
  return element('p', { class: 'line' }, element('b', {}, strong), rest === '' ? null : ` ${rest}`);
}

/**
 * @param {string} text
 * @returns {HTMLElement}
 */
export function prose(text) {
  return element('p', {}, text);
}

/**
 * @param {string} text
 * @returns {HTMLElement}
 */
export function code(text) {
  return element('pre', {}, text);
}

/**
 * @param {string} title
 * @param {Node[]} content
 * @returns {HTMLElement}
 */
export function folded(title, ...content) {
  return element('details', { 'data-name': title }, element('summary', {}, title), ...content);
}

/**
 * @param {[string, unknown][]} entries
 * @returns {HTMLElement}
 */
export function valueTable(entries) {
  const rows = entries.map(([name, value]) =>
    element('tr', {}, element('th', { scope: 'row' }, name), element('td', {}, shortened(String(value)))));
  return element('table', {}, element('tbody', {}, ...rows));
}

/**
 * @param {string} value
 * @returns {Node}
 */
export function shortened(value) {
  if (value.length <= SHOWN_MAX) return element('code', {}, value);
  /** @type {HTMLButtonElement} */
  const button = element(
    'button',
    { type: 'button', class: 'whole', click: () => button.replaceWith(element('code', {}, value)) },
    element('code', {}, value),
  );
  return button;
}

/**
 * @param {string} body
 * @returns {Record<string, unknown> | null}
 */
export function parsed(body) {
  try {
    const value = JSON.parse(body);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

/**
 * @param {string} text
 * @returns {string} JSON with a line per member, anything else as it is
 */
export function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/**
 * @param {string} base64
 * @returns {string}
 */
export function decoded(base64) {
  try {
    return decodeBase64(base64);
  } catch {
    return base64;
  }
}
