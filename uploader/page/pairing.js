/** The way to the same page on a phone: a code to scan, or what to start so that there is one. */

import { byId, drawn, element } from './element.js';
import { say } from './language.js';

/** @param {import('./application.js').ServeFacts | null} facts */
export function drawPairing(facts) {
  const lan = facts?.lan ?? null;
  const text = byId('pairing-text');
  const address = byId('pairing-address');
  const code = byId('code');
  byId('pairing').classList.toggle('without-code', lan === null);
  if (lan === null) {
    text.textContent = say('noLan');
    address.replaceChildren(element('code', {}, 'countersign serve --lan'));
    code.replaceChildren(drawn('mark'));
    return;
  }
  text.textContent = say('scan', { app: portOf(lan.url), store: portOf(facts?.store?.url ?? lan.url) });
  address.replaceChildren(element('code', {}, lan.url));
  // As a picture, whatever is in it cannot act in the page.
  code.replaceChildren(
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
