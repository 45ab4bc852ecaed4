/** The buttons of a row: in each state those that help. Each names its file to who cannot see beside what it stands. */

import { giveLink, giveText } from './copy_link.js';
import { element } from './element.js';
import { say } from './language.js';
import { openAddress } from './ledger.js';
import { reasonOf } from './row_words.js';

/** @typedef {import('./upload_row.js').UploadRow} UploadRow */
/** @typedef {import('./upload_row.js').RowActions} RowActions */

/**
 * @param {UploadRow} row
 * @param {RowActions} actions
 * @returns {HTMLElement[]}
 */
export function actionNodes(row, actions) {
  const button = (/** @type {import('./language.js').Word} */ word, /** @type {() => void} */ pressed) =>
    element('button', { type: 'button', click: pressed, 'aria-label': labelled(word, row) }, say(word));
  switch (row.state) {
    case 'queued':
      return [button('remove', () => actions.remove(row))];
    case 'signing':
    case 'offline':
    case 'sending':
      return [button('cancel', () => actions.stop(row))];
    case 'confirming':
      return [button('stopWaiting', () => actions.stop(row))];
    case 'done':
      return [openLink(row), button('copyLink', () => void giveLink(row.key ?? '', row.part('.offer')))];
    case 'stored':
      return [openLink(row)];
    case 'stored-not-confirmed':
    case 'declined':
      return [button('copyReport', () => void copyReport(row))];
    case 'unknown':
      return row.inquiry === 'asking' ? [] : [
        ...(row.inquiry === 'notVisible' ? [] : [button('askAgain', () => actions.ask(row))]),
        button('uploadAgain', () => actions.start(row)),
      ];
    case 'refused':
      return [
        button('copyReport', () => void copyReport(row)),
        ...(reasonOf(row)?.canRetry ? [button('tryAgain', () => actions.start(row))] : []),
      ];
    case 'cancelled':
      return [button('again', () => actions.start(row))];
  }
}

/**
 * @param {UploadRow} row
 * @returns {HTMLElement}
 */
function openLink(row) {
  const href = openAddress(row.key ?? '');
  return element('a', { href, target: '_blank', rel: 'noopener', 'aria-label': labelled('open', row) }, say('open'));
}

/**
 * @param {import('./language.js').Word} word
 * @param {UploadRow} row
 * @returns {string} begins with what is written, so that it can be called by voice
 */
function labelled(word, row) {
  return say('withName', { action: say(word), name: row.file.name });
}

/** @param {UploadRow} row */
async function copyReport(row) {
  const { reportOf } = await import('./report.js');
  await giveText(reportOf(row), row.part('.offer'), { copied: say('reportCopied'), copyThis: say('copyReportHere') });
}
