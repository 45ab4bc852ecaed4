/** The files on the page, newest first: starts them, stops them, and keeps the sum of all. */

import { UploadError, Uploader, readPolicy } from '/uploader/index.js';
import { announceStart, summary } from './announcer.js';
import { tokenHeaders } from './application.js';
import { byId } from './element.js';
import { showFlow } from './flow.js';
import { askLedger, knowCallback, lookIntoLedger, stopWaiting } from './inquiry.js';
import { say } from './language.js';
import { watchRows } from './patience.js';
import { stateText } from './row_words.js';
import { currentSettings } from './settings.js';
import { drawTotals, drawTotalsSoon } from './totals_bar.js';
import { UploadRow } from './upload_row.js';

export { knowCallback };

/** Rows from which on only those in sight are laid out. */
const MANY = 24;
/** Rows that are built at once. */
const PORTION = 25;
const VISITED = 'countersign.visited';
/** A failure of the network is tried again when the network is seen to be gone this soon after it. */
const SAME_OUTAGE_MS = 10_000;
const NETWORK_FAULTS = ['StoreUnreachable', 'ConnectionLost', 'SignatureUnavailable'];

/** @type {UploadRow[]} */
const rows = [];
const uploader = new Uploader({ url: '/signature', headers: tokenHeaders });
let shownSince = 0;
/** @type {UploadRow[]} */
let movingWhenHidden = [];

/** @returns {readonly UploadRow[]} */
export function allRows() {
  return rows;
}

/** Everything anew, in the language that now holds. */
export function redrawAll() {
  for (const row of rows) row.redraw();
  drawTotals(rows, actOnAll);
}

/**
 * @param {Iterable<File>} files
 * @throws {import('../src/upload_path.js').UploadPathError} when the folder cannot be used
 */
export function addFiles(files) {
  const settings = currentSettings();
  const chosen = [...files];
  if (chosen.length === 0) return;
  announceStart(chosen.map(({ name }) => name));
  const opens = rows.length === 0 && chosen.length === 1 && isFirstVisit();
  /** @type {UploadRow | null} */
  let last = null;
  // Many are added in portions, so that the page goes on answering in between.
  const addPortion = () => {
    const portion = chosen.splice(0, PORTION).map((file) => new UploadRow(file, settings, actions));
    const nodes = portion.map(({ node }) => node);
    if (last === null || !rows.includes(last)) {
      rows.unshift(...portion);
      byId('rows').prepend(...nodes);
    } else {
      rows.splice(rows.indexOf(last) + 1, 0, ...portion);
      last.node.after(...nodes);
    }
    last = portion[portion.length - 1];
    showExtent();
    if (opens) portion[0].toggle();
    for (const row of portion) void start(row);
    if (chosen.length > 0) setTimeout(addPortion);
  };
  addPortion();
}

/** @returns {boolean} the details teach once; from the second visit on they wait to be opened */
function isFirstVisit() {
  try {
    if (localStorage.getItem(VISITED) !== null) return false;
    localStorage.setItem(VISITED, '1');
  } catch {
    // Without storage every visit is the first.
  }
  return true;
}

/** @type {import('./upload_row.js').RowActions} */
const actions = {
  start: (row) => void start(row),
  stop: (row) => stopWaiting(row),
  remove,
  ask: (row) => void askLedger(row),
  changed: () => {
    drawTotalsSoon(rows, actOnAll);
    showFlow(rows);
  },
};

/** @param {UploadRow} row */
function remove(row) {
  row.controller.abort();
  const at = rows.indexOf(row);
  const hadFocus = row.node.contains(document.activeElement);
  rows.splice(at, 1);
  row.leave();
  showExtent();
  if (hadFocus) (rows[at] ?? rows[at - 1] ?? byId('choose')).focus();
}

/** @param {import('./totals_bar.js').AllAction} action */
function actOnAll(action) {
  if (action === 'cancelAll') {
    // The queue first: whoever is stopped would otherwise let the next one begin.
    for (const row of rows) if (row.state === 'queued') row.controller.abort();
    for (const row of rows) if (row.isMoving && row.state !== 'queued') stopWaiting(row);
  } else if (action === 'retryAll') {
    for (const row of [...rows].reverse()) if (row.canRetry) void start(row);
  } else {
    for (const row of rows.filter(({ isMoving }) => !isMoving)) remove(row);
  }
}

function showExtent() {
  document.body.classList.toggle('has-files', rows.length > 0);
  document.body.classList.toggle('many', rows.length > MANY);
  drawTotals(rows, actOnAll);
  showFlow(rows);
}

/** @param {UploadRow} row */
async function start(row) {
  row.controller = new AbortController();
  const { controller } = row;
  const anew = { error: null, conversation: null, progress: null, calledBackAt: null, ledger: 'none', slept: false, key: null };
  Object.assign(row, anew);
  row.enter('queued');
  try {
    const result = await uploader.upload(row.file, row.settings.dir, {
      name: row.settings.name,
      parameters: row.settings.parameters,
      signal: controller.signal,
      observe: (progress) => observe(row, controller, progress),
    });
    if (row.controller !== controller) return;
    Object.assign(row, { key: result.key, conversation: result.conversation });
    row.enter(result.outcome);
  } catch (error) {
    if (row.controller !== controller || (controller.signal.aborted && !row.isMoving)) return;
    if (error instanceof UploadError) await settle(row, error);
    else row.enter('cancelled');
  }
  if (row.isOpen && (row.state === 'done' || row.state === 'declined')) void lookIntoLedger(row);
}

/**
 * @param {UploadRow} row
 * @param {AbortController} controller of the upload that speaks; it may have been given up
 * @param {import('../src/uploader.js').Progress} progress
 */
function observe(row, controller, progress) {
  if (controller.signal.aborted || row.controller !== controller) return;
  if (progress.sent !== row.progress?.sent) {
    row.movedAt = Date.now();
    row.stalledSeconds = 0;
  }
  row.progress = progress;
  row.conversation = progress.conversation;
  const isAsking = progress.phase === 'queued' || progress.phase === 'signing' || progress.phase === 'offline';
  row.withCallback = progress.withCallback || isAsking;
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
 * Keeps an eye on what the page itself cannot cause: a phone that locks its screen freezes the page in the middle of
 * things, and a network goes and comes.
 *
 * @param {(text: string) => void} tell
 */
export function watchSurroundings(tell) {
  watchRows(rows);
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) {
      movingWhenHidden = rows.filter(({ isMoving }) => isMoving);
      return;
    }
    shownSince = Date.now();
    askAboutUnknown();
    setTimeout(() => {
      const ended = movingWhenHidden.filter(({ isMoving }) => !isMoving);
      if (ended.length > 0) tell(say('noticeWoke', { states: summary(ended.map((row) => stateText(row))) }));
    }, 1500);
  });
  addEventListener('online', askAboutUnknown);
  addEventListener('offline', () => {
    for (const row of rows) {
      const justFailed = row.state === 'refused' && row.error?.status === 0 && Date.now() - row.movedAt < SAME_OUTAGE_MS;
      if (justFailed && NETWORK_FAULTS.includes(row.error?.code ?? '')) void start(row);
    }
  });
  addEventListener('beforeunload', (event) => {
    if (rows.some(({ isMoving }) => isMoving)) event.preventDefault();
  });
}

function askAboutUnknown() {
  for (const row of rows) if (row.state === 'unknown' && row.inquiry !== 'asking') void askLedger(row);
}
