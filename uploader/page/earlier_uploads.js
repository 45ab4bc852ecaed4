/** The uploads of this folder that the application knows from before: a reload forgets the rows, the ledger does not. */

import { byId, drawn, element } from './element.js';
import { say } from './language.js';
import { listLedger, openAddress, verdictOf } from './ledger.js';
import { bytes, dayAndTime } from './quantities.js';
import { signOf } from './row_template.js';

const ASKED_MAX = 100;
const SHOWN_MAX = 12;

/** @type {import('./ledger.js').LedgerRecord[]} */
let records = [];

/** Asks the ledger once; what is uploaded from now on has a row of its own. */
export async function learnEarlier() {
  records = await listLedger(ASKED_MAX);
}

/**
 * @param {string} dir the folder that is shown
 */
export function drawEarlier(dir) {
  const box = byId('earlier');
  const seen = new Set();
  // A key that was written twice is one file.
  const ofFolder = records.filter(({ key }) => key?.startsWith(dir) && !seen.has(key) && seen.add(key));
  box.hidden = ofFolder.length === 0;
  if (box.hidden) return;
  const shown = ofFolder.slice(0, SHOWN_MAX).map(item);
  const more = ofFolder.length - shown.length;
  byId('earlier-title').textContent = say('earlier', { dir: dir === '' ? '/' : dir });
  box.replaceChildren(
    byId('earlier-title'),
    element('ol', { class: 'rows' }, ...shown),
    ...(more > 0 ? [element('p', {}, say('earlierMore', { count: more }))] : []),
  );
}

/**
 * @param {import('./ledger.js').LedgerRecord} record
 * @returns {HTMLElement}
 */
function item(record) {
  const { state } = verdictOf(record);
  const name = record.name || record.key.slice(record.key.lastIndexOf('/') + 1);
  const words = say(state === 'done' ? 'done' : state === 'declined' ? 'declinedPlain' : 'notConfirmed', { reason: say('reasonOther') });
  const about = [dayAndTime(Date.parse(record.time)), words];
  const open = say('open');
  return element(
    'li',
    { class: 'row', 'data-state': state },
    element('div', { class: 'thumb', 'aria-hidden': 'true' }, element('span', {}, /\.(\w{1,4})$/.exec(name)?.[1] ?? drawn('sheet'))),
    element(
      'div',
      { class: 'about' },
      element(
        'p',
        { class: 'name', title: record.key },
        element('span', { class: 'stem' }, name),
        element('span', { class: 'size' }, record.size == null ? '' : bytes(Number(record.size))),
      ),
      element('p', { class: 'state' }, about.join(' · ')),
    ),
    element(
      'div',
      { class: 'actions' },
      element('a', { href: openAddress(record.key), target: '_blank', rel: 'noopener', 'aria-label': say('withName', { action: open, name }) }, open),
    ),
    element('span', { class: 'toggle' }, drawn(signOf(state).slice(1), 'sign')),
  );
}
