/**
 * Gives a text to take along: a link to a stored file, or a report. Plain http in a local network has no clipboard;
 * there the text is offered selected, so that one key press or one long touch copies it.
 */

import { element } from './element.js';
import { say } from './language.js';
import { signedAddress } from './ledger.js';

/**
 * @param {string} key
 * @param {HTMLElement} place where the link is offered
 */
export async function giveLink(key, place) {
  let address;
  try {
    address = await signedAddress(key);
  } catch {
    return void tell(place, say('noLink'));
  }
  await giveText(address, place, { copied: say('copied'), copyThis: say('copyThis') });
}

/**
 * @param {string} text
 * @param {HTMLElement} place
 * @param {{ copied: string, copyThis: string }} words
 */
export async function giveText(text, place, { copied, copyThis }) {
  try {
    await navigator.clipboard.writeText(text);
    tell(place, copied);
  } catch {
    offer(place, text, copyThis);
  }
}

/**
 * @param {HTMLElement} place
 * @param {string} text
 */
function tell(place, text) {
  place.replaceChildren(element('p', { role: 'status' }, text));
}

/**
 * @param {HTMLElement} place
 * @param {string} text
 * @param {string} copyThis
 */
function offer(place, text, copyThis) {
  const field = element('textarea', { readonly: true, rows: text.includes('\n') ? '8' : '2', 'aria-label': copyThis });
  field.value = text;
  place.replaceChildren(element('p', { role: 'status' }, copyThis), field);
  field.focus();
  field.select();
}
