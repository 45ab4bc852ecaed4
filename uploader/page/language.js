/** Which language the page speaks, and how it writes quantities in it. */

/** @typedef {keyof typeof import('./words_en.js').en} Word */
/** @typedef {'en' | 'zh'} LanguageCode */

/** @type {LanguageCode} */
let current = 'en';
/** @type {Record<Word, string>} */
let words;

/** @returns {LanguageCode} */
export function languageCode() {
  return current;
}

/**
 * The address decides, then the browser's first language. Only the words that are needed are loaded.
 *
 * @param {string | null} asked
 */
export async function chooseLanguage(asked) {
  const wanted = asked ?? navigator.language;
  const code = wanted.toLowerCase().startsWith('zh') ? 'zh' : 'en';
  words = code === 'zh' ? (await import('./words_zh.js')).zh : (await import('./words_en.js')).en;
  current = code;
  document.documentElement.lang = code === 'zh' ? 'zh-CN' : 'en';
}

/**
 * @param {Word} word
 * @param {Record<string, string | number>} [values] put where the text says `{name}`
 * @returns {string}
 */
export function say(word, values = {}) {
  return words[word].replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ''));
}

/** Writes every fixed text of the page anew. */
export function speakPage() {
  for (const node of document.querySelectorAll('[data-text]')) {
    node.textContent = say(/** @type {Word} */ (node.getAttribute('data-text')));
  }
  for (const node of document.querySelectorAll('[data-label]')) {
    node.setAttribute('aria-label', say(/** @type {Word} */ (node.getAttribute('data-label'))));
  }
}

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
  return new Date(time).toLocaleTimeString(current === 'zh' ? 'zh-CN' : 'en-GB');
}
