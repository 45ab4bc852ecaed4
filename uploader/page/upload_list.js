/** The files on the page, newest first: starts them, stops them, and asks the application when a connection was lost. */

import { UploadError, Uploader, readPolicy } from '/uploader/index.js';
import { ApplicationStatusError, tokenHeaders } from './application.js';
import { summary } from './announcer.js';
import { say } from './language.js';
import { findInLedger } from './ledger.js';
import { currentSettings } from './settings.js';
import { UploadRow, rowList } from './upload_row.js';

/** Rows from which on only those in sight are laid out. */
const MANY = 24;
/** The ledger is asked this long after the connection broke; the callback may still be under way. */
const ASK_AFTER_MS = [0, 1000, 3000];

/** @type {UploadRow[]} */
const rows = [];
const uploader = new Uploader({ url: '/signature', headers: tokenHeaders });
/** @type {() => boolean} */
let callbackVisible = () => true;
let shownSince = 0;
/** @type {UploadRow[]} */
let movingWhenHidden = [];

/** @param {() => boolean} visible whether the application that is called back is this server's own */
export function knowCallback(visible) {
  callbackVisible = visible;
}

/** @returns {readonly UploadRow[]} */
export function allRows() {
  return rows;
}

/**
 * @param {Iterable<File>} files
 * @throws {import('../src/upload_path.js').UploadPathError} when the folder cannot be used
 */
export function addFiles(files) {
  const settings = currentSettings();
  const first = rows.length === 0;
  const added = [...files].map((file) => new UploadRow(file, settings, actions));
  if (added.length === 0) return;
  rows.unshift(...added);
  showExtent();
  rowList().prepend(...added.map(({ node }) => node));
  if (first) added[0].toggle();
  for (const row of added) void start(row);
}

/** @type {import('./upload_row.js').RowActions} */
const actions = {
  start: (row) => void start(row),
  stop: (row) => row.controller.abort(),
  remove: (row) => {
    row.controller.abort();
    rows.splice(rows.indexOf(row), 1);
    row.leave();
    showExtent();
  },
  ask: (row) => void askLedger(row),
};

function showExtent() {
  document.body.classList.toggle('has-files', rows.length > 0);
  document.body.classList.toggle('many', rows.length > MANY);
}

/** @param {UploadRow} row */
async function start(row) {
  row.controller = new AbortController();
  Object.assign(row, { error: null, conversation: null, progress: null, calledBackAt: null, ledger: 'none', slept: false });
  row.enter('queued');
  try {
    const result = await uploader.upload(row.file, row.settings.dir, {
      name: row.settings.name,
      parameters: row.settings.parameters,
      signal: row.controller.signal,
      observe: (progress) => observe(row, progress),
    });
    Object.assign(row, { key: result.key, conversation: result.conversation });
    row.enter(result.outcome);
  } catch (error) {
    if (error instanceof UploadError) await settle(row, error);
    else row.enter('cancelled');
  }
  if (row.isOpen && (row.state === 'done' || row.state === 'declined')) void lookIntoLedger(row);
}

/**
 * @param {UploadRow} row
 * @param {import('../src/uploader.js').Progress} progress
 */
function observe(row, progress) {
  row.progress = progress;
  row.conversation = progress.conversation;
  row.withCallback = progress.withCallback || progress.phase === 'queued' || progress.phase === 'signing';
  if (row.state === progress.phase) row.drawSoon();
  else row.enter(progress.phase);
}

/**
 * @param {UploadRow} row
 * @param {import('../src/upload_error.js').UploadError} error
 */
async function settle(row, error) {
  row.error = error;
  row.key = error.stored === false ? null : error.key;
  row.conversation = error.conversation;
  row.slept = document.hidden || Date.now() - shownSince < 5000;
  const policy = readPolicy(policyField(row));
  row.sizeRange = policy?.sizeRange ?? null;
  row.types = /** @type {string[] | null} */ (permittedTypes(policy?.conditions ?? []));
  if (error.outcome === 'unknown') await askLedger(row);
  else row.enter(error.outcome);
}

/**
 * @param {UploadRow} row
 * @returns {string} the signed policy, which is known even where nothing was sent
 */
function policyField(row) {
  try {
    const answer = JSON.parse(row.conversation?.signature?.body ?? '{}');
    return answer.policy ?? '';
  } catch {
    return '';
  }
}

/**
 * @param {unknown[]} conditions
 * @returns {unknown[] | null}
 */
function permittedTypes(conditions) {
  for (const condition of conditions) {
    if (!Array.isArray(condition) || condition[0] !== 'in' || !Array.isArray(condition[2])) continue;
    if (/^\$?content-type$/i.test(condition[1])) return condition[2];
  }
  return null;
}

/**
 * After a connection that broke at the end, only the application knows whether the file arrived.
 *
 * @param {UploadRow} row
 */
async function askLedger(row) {
  row.inquiry = 'asking';
  row.enter('unknown');
  if (!callbackVisible() || !row.withCallback || row.key === null) {
    row.inquiry = 'notVisible';
    return row.enter('unknown');
  }
  for (const wait of ASK_AFTER_MS) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    await lookIntoLedger(row);
    if (row.ledger !== null && typeof row.ledger === 'object') return row.enter('done');
  }
  row.inquiry = row.ledger === 'failed' ? 'askFailed' : 'notKnown';
  row.enter('unknown');
}

/**
 * Steps 4 and 5 happen between store and application; the browser learns of them from the ledger.
 *
 * @param {UploadRow} row
 */
export async function lookIntoLedger(row) {
  if (!callbackVisible() || row.key === null) return;
  try {
    row.ledger = await findInLedger(row.key);
    row.calledBackAt = row.ledger === null ? null : Date.parse(row.ledger.time);
  } catch (error) {
    row.ledger = error instanceof ApplicationStatusError && error.status === 404 ? null : 'failed';
  }
  row.redraw();
}

/**
 * Keeps an eye on sleep: a phone that locks its screen freezes the page in the middle of things.
 *
 * @param {(text: string) => void} tell
 */
export function watchSleep(tell) {
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) {
      movingWhenHidden = rows.filter(({ isMoving }) => isMoving);
      return;
    }
    shownSince = Date.now();
    for (const row of rows) if (row.state === 'unknown' && row.inquiry !== 'asking') void askLedger(row);
    setTimeout(() => {
      const ended = movingWhenHidden.filter(({ isMoving }) => !isMoving);
      if (ended.length > 0) tell(say('noticeWoke', { states: summary(ended.map((row) => row.stateText())) }));
    }, 1500);
  });
  addEventListener('beforeunload', (event) => {
    if (rows.some(({ isMoving }) => isMoving)) event.preventDefault();
  });
}
