/** The way to the same page on a phone: a code to scan, or a line that says what to start so that there is one. */

import { byId, element } from './element.js';
import { say } from './language.js';

/** @param {import('./application.js').ServeFacts | null} facts */
export function drawPairing(facts) {
  const lan = facts?.lan ?? null;
  byId('pairing').hidden = lan === null;
  const line = byId('no-lan');
  line.hidden = lan !== null;
  if (lan === null && facts !== null) {
    const [before, after = ''] = say('noLan', { command: '\n' }).split('\n');
    return line.replaceChildren(before, element('code', {}, 'countersign serve --lan'), after);
  }
  if (lan === null) return;
  byId('pairing-text').textContent = say('scan', { app: portOf(lan.url), store: portOf(facts?.store?.url ?? lan.url) });
  byId('pairing-address').replaceChildren(element('code', {}, lan.url));
  // As a picture, whatever is in it cannot act in the page.
  byId('code').replaceChildren(
    element('img', { src: `data:image/svg+xml,${encodeURIComponent(lan.qr)}`, alt: say('code'), width: '144', height: '144' }),
  );
}

/**
 * @param {string} address
 * @returns {string}
 */
function portOf(address) {
  const { port, protocol } = new URL(address);
  return port || (protocol === 'https:' ? '443' : '80');
}
