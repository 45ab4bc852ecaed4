/** What may be chosen, kept in the page's address so that a link reproduces it. */

import { UploadPathError, normaliseUploadPath } from '/uploader/upload_path.js';
import { byId } from './element.js';
import { say } from './language.js';

/**
 * @typedef {object} Settings
 * @property {'random' | 'local'} name
 * @property {string | undefined} dir normalised; nothing means the application's own
 * @property {Record<string, string>} parameters for the signature endpoint
 */

const FIELDS = ['name', 'dir', 'version', 'callback'];
const STANDARD = { name: 'random', version: '', callback: '' };

let ownDir = '';
let switches = false;

/** @returns {URLSearchParams} */
export function addressParameters() {
  return new URLSearchParams(location.search);
}

/**
 * @param {string} name
 * @param {string} value empty takes it out of the address
 */
export function putIntoAddress(name, value) {
  const parameters = addressParameters();
  if (value === '') parameters.delete(name);
  else parameters.set(name, value);
  const query = parameters.toString().replaceAll('%2F', '/');
  history.replaceState(null, '', (query === '' ? location.pathname : `?${query}`) + location.hash);
}

/** Fills the form from the address and keeps the address up to date. */
export function startSettings() {
  const asked = addressParameters();
  for (const field of FIELDS) {
    const control = controlOf(field);
    const value = asked.get(field);
    if (value !== null) control.value = value;
    if (control.selectedIndex === -1) control.selectedIndex = 0;
    control.addEventListener('change', () => {
      showFault();
      const standard = field === 'dir' ? ownDir : STANDARD[/** @type {keyof STANDARD} */ (field)];
      putIntoAddress(field, control.value === standard ? '' : control.value);
    });
  }
  byId('settings').addEventListener('submit', (event) => event.preventDefault());
}

/** @param {import('./application.js').ServeFacts} facts */
export function settleSettings(facts) {
  const dir = controlOf('dir');
  ownDir = facts.dir ?? '';
  if (dir.value === '') dir.value = ownDir;
  switches = facts.switches;
  byId('switches').hidden = !switches;
  showFault();
}

/** Says again, in the page's language, what is wrong with the folder. */
export function showFault() {
  const fault = byId('dir-fault');
  try {
    currentDir();
    fault.textContent = '';
  } catch (error) {
    if (!(error instanceof UploadPathError)) throw error;
    fault.textContent = say('badFolder', { reason: say(`folder_${error.reason}`) });
  }
  controlOf('dir').setAttribute('aria-invalid', String(fault.textContent !== ''));
}

/**
 * @returns {Settings}
 * @throws {UploadPathError}
 */
export function currentSettings() {
  /** @type {Record<string, string>} */
  const parameters = {};
  for (const field of switches ? ['version', 'callback'] : []) {
    const { value } = controlOf(field);
    if (value !== '') parameters[field] = value;
  }
  return { name: controlOf('name').value === 'local' ? 'local' : 'random', dir: currentDir(), parameters };
}

/** @returns {string} the folder as it is shown: the one chosen, or the application's own */
export function shownDir() {
  try {
    return currentDir() ?? ownDir;
  } catch {
    return ownDir;
  }
}

/** @returns {string | undefined} */
function currentDir() {
  const { value } = controlOf('dir');
  return value.trim() === '' ? undefined : normaliseUploadPath(value);
}

/**
 * @param {string} field
 * @returns {HTMLSelectElement}
 */
function controlOf(field) {
  return byId(field);
}
