/** Which language the page speaks. */

/** @typedef {keyof typeof import('./words_en.js').en | keyof typeof import('./upload_words_en.js').uploadsEn} Word */
/** @typedef {'en' | 'zh'} LanguageCode */

/** @type {LanguageCode} */
let current = 'en';
/** @type {Partial<Record<Word, string>>} */
let words = {};
let aboutFiles = false;

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
  const code = (asked ?? navigator.language).toLowerCase().startsWith('zh') ? 'zh' : 'en';
  words = await wordsIn(code);
  current = code;
  document.documentElement.lang = code === 'zh' ? 'zh-CN' : 'en';
}

/** Learns what is said about files, from now on in every language. */
export async function speakOfFiles() {
  aboutFiles = true;
  words = await wordsIn(current);
}

/**
 * @param {LanguageCode} code
 * @returns {Promise<Partial<Record<Word, string>>>}
 */
async function wordsIn(code) {
  const page = code === 'zh' ? (await import('./words_zh.js')).zh : (await import('./words_en.js')).en;
  if (!aboutFiles) return page;
  const files = code === 'zh'
    ? (await import('./upload_words_zh.js')).uploadsZh
    : (await import('./upload_words_en.js')).uploadsEn;
  return { ...page, ...files };
}

/**
 * @param {Word} word
 * @param {Record<string, string | number>} [values] put where the text says `{name}`
 * @returns {string}
 */
export function say(word, values = {}) {
  return (words[word] ?? word).replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ''));
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
