/** The store's error document, as far as a client uses it. */

/**
 * @typedef {object} ErrorDocument
 * @property {string | null} code
 * @property {string | null} message
 * @property {string | null} requestId
 * @property {string | null} ec
 * @property {string | null} callbackAllow the flag that would permit a refused callback destination
 * @property {string | null} recommendDoc where the error is explained
 */

/**
 * The document is flat and machine-made, and this also runs where there is no DOM parser.
 *
 * @param {string} xml
 * @returns {ErrorDocument}
 */
export function readErrorDocument(xml) {
  return {
    code: elementText(xml, 'Code'),
    message: elementText(xml, 'Message'),
    requestId: elementText(xml, 'RequestId'),
    ec: elementText(xml, 'EC'),
    callbackAllow: elementText(xml, 'CallbackAllow'),
    recommendDoc: elementText(xml, 'RecommendDoc'),
  };
}

/**
 * Judged by the text: samples answer JSON as `text/html`, so the header says nothing.
 *
 * @param {string} body
 * @returns {boolean} whether it is a page for people, which no store and no callback's answer is
 */
export function isHtmlPage(body) {
  return /^\uFEFF?\s*(?:<!--[^]*?-->\s*)*<(?:!doctype html|html|head|body|title|center)\b/i.test(body);
}

/**
 * @param {string} body
 * @returns {string | null} the title of a page of HTML, such as `502 Bad Gateway`
 */
export function htmlTitle(body) {
  const found = /<title[^>]*>([^<]*)<\/title>/i.exec(body);
  const title = found === null ? '' : unescapeXml(found[1]).trim().slice(0, 80);
  return title === '' ? null : title;
}

/**
 * @param {string} xml
 * @param {string} name
 * @returns {string | null}
 */
export function elementText(xml, name) {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml);
  return found === null ? null : unescapeXml(found[1]);
}

/** @type {Record<string, string>} */
const NAMED = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/**
 * @param {string} text
 * @returns {string}
 */
function unescapeXml(text) {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    if (name !== undefined) return NAMED[name.toLowerCase()] ?? whole;
    const codePoint = hex === undefined ? Number.parseInt(decimal, 10) : Number.parseInt(hex, 16);
    return codePoint <= 0x10ffff ? String.fromCodePoint(codePoint) : whole;
  });
}
