/** Puts the page together: language, settings, ways in, the list, and what the server says about itself. */

import { ApplicationStatusError, fetchServeFacts, getJson } from './application.js';
import { startDropArea } from './drop_area.js';
import { byId, element } from './element.js';
import { chooseLanguage, languageCode, say, speakOfFiles, speakPage } from './language.js';
import { drawPairing } from './pairing.js';
import { addressParameters, putIntoAddress, settleSettings, showFault, shownDir, startSettings } from './settings.js';

/** @typedef {typeof import('./upload_list.js')} UploadList */

const ASK_AGAIN_MS = 3000;
const PATIENCE_MS = 2000;

/** @type {import('./application.js').ServeFacts | null} */
let facts = null;
/** @type {() => string} the notice in whichever language holds */
let notice = () => '';
/** @type {Promise<UploadList> | undefined} */
let loading;
let learnedOnce = false;
/** @type {UploadList | undefined} */
let list;
/** @type {typeof import('./earlier_uploads.js') | undefined} */
let earlier;

await chooseLanguage(addressParameters().get('lang'));
speakAll();
startSettings();
startDropArea(take);
document.documentElement.classList.remove('starting');
byId('dir').addEventListener('change', () => earlier?.drawEarlier(shownDir()));
byId('language').addEventListener('click', async (event) => {
  event.preventDefault();
  const other = languageCode() === 'zh' ? 'en' : 'zh';
  await chooseLanguage(other);
  putIntoAddress('lang', other);
  speakAll();
});
for (const sign of ['pointerdown', 'pointermove', 'keydown', 'dragenter', 'touchstart']) {
  addEventListener(sign, () => void loadList().catch(() => {}), { once: true, passive: true });
}
/** The first answer about the server, or the end of the patience for it: settings in the address depend on it. */
const learned = Promise.race([learn(), new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);

/**
 * Loads the list and the uploader at the first sign of a person: the first screen is small without them.
 *
 * @returns {Promise<UploadList>}
 */
function loadList() {
  loading ??= Promise.all([import('./upload_list.js'), styleOfFiles(), speakOfFiles()]).then(([loaded]) => {
    loaded.knowCallback(() => facts === null || facts.callback === 'own');
    loaded.watchSurroundings((text) => tell(() => text));
    list = loaded;
    return loaded;
  });
  loading.catch(() => (loading = undefined));
  return loading;
}

/** @returns {Promise<unknown>} when the style is there, so that no row is shown without it */
function styleOfFiles() {
  const link = element('link', { rel: 'stylesheet', href: '/page/files.css' });
  const loaded = new Promise((resolve, reject) => {
    link.onload = resolve;
    link.onerror = () => reject(new Error('the style of the list could not be loaded'));
  });
  document.head.append(link);
  return loaded;
}

const libraryGone = () => say('libraryGone');

/** @param {File[]} files */
async function take(files) {
  let uploads;
  try {
    [uploads] = await Promise.all([loadList(), learned]);
  } catch {
    return tell(libraryGone);
  }
  if (notice === libraryGone) tell(() => '');
  try {
    uploads.addFiles(files);
  } catch {
    showFault();
    byId('dir').focus();
  }
}

/** Asks the server what it is, and goes on asking for as long as something is missing. */
async function learn() {
  try {
    facts = await fetchServeFacts();
    settleSettings(facts);
    if (!learnedOnce && facts.callback === 'own') void showEarlier();
    learnedOnce = true;
    const host = facts.store === undefined ? '' : new URL(facts.store.url).host;
    tell(facts.store?.ready === false ? () => say('noticeStore', { host }) : () => '');
    if (facts.store?.ready === false) setTimeout(learn, ASK_AGAIN_MS);
  } catch (error) {
    if (error instanceof ApplicationStatusError) {
      tell(error.status === 401 || error.status === 403 ? () => say('tokenWrong') : () => '');
    } else {
      tell(() => say('noticeServer'));
      setTimeout(learn, ASK_AGAIN_MS);
    }
  }
  drawPairing(facts);
  drawWarning();
  document.documentElement.dataset.asked = '';
}

/** What the ledger knows of this folder, from before this page was opened. An empty ledger costs nothing more. */
async function showEarlier() {
  try {
    const { uploads } = await getJson('/uploads?limit=1');
    if (uploads.length === 0) return;
    const [module] = await Promise.all([import('./earlier_uploads.js'), loadList()]);
    await module.learnEarlier();
    earlier = module;
    earlier.drawEarlier(shownDir());
  } catch {
    // The list is an extra: without it the page does all the same.
  }
}

/** @param {() => string} text */
function tell(text) {
  notice = text;
  byId('notice').textContent = text();
}

function drawWarning() {
  const hours = facts?.retentionHours ?? 24;
  byId('warning').textContent = hours === 24
    ? say('warning')
    : hours < 48 ? say('warningHours', { hours }) : say('warningDays', { days: Math.round(hours / 24) });
}

function speakAll() {
  speakPage();
  const link = /** @type {HTMLAnchorElement} */ (byId('language'));
  const other = languageCode() === 'zh' ? 'en' : 'zh';
  link.textContent = other === 'zh' ? '中文' : 'English';
  link.lang = link.hreflang = other;
  link.href = `?lang=${other}`;
  showFault();
  drawPairing(facts);
  drawWarning();
  byId('notice').textContent = notice();
  list?.redrawAll();
  earlier?.drawEarlier(shownDir());
}
