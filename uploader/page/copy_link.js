/**
 * Gives a link to a stored file. Plain http in a local network has no clipboard; there the text is offered selected,
 * so that one key press or one long touch copies it.
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
  try {
    await navigator.clipboard.writeText(address);
    tell(place, say('copied'));
  } catch {
    offer(place, address);
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
 * @param {string} address
 */
function offer(place, address) {
  const field = element('input', { readonly: true, 'aria-label': say('copyThis') });
  field.value = address;
  place.replaceChildren(element('p', { role: 'status' }, say('copyThis')), field);
  field.focus();
  field.select();
}
