/**
 * "What just happened": the six steps with their real requests and answers. What the browser said and heard it knows
 * itself; what passed between the store and the application comes from the ledger. Loaded when first opened.
 */

import { readPolicy } from '/uploader/policy_document.js';
import { code, decoded, folded, line, parsed, pretty, prose, shortened, valueTable } from './conversation_parts.js';
import { CONVERSATION_WORDS } from './conversation_words.js';
import { drawn, element } from './element.js';
import { languageCode, say as sayOfFiles } from './language.js';
import { bytes, clockTime, elapsed } from './quantities.js';
import { stepSpans, stepStates, totalTime } from './six_steps.js';

/** @typedef {import('./upload_row.js').UploadRow} UploadRow */
/** @typedef {import('./conversation_words.js').ConversationWord} ConversationWord */
/** @typedef {{ title: ConversationWord, content: (Node | null)[] }} Step */

/**
 * @param {ConversationWord} word
 * @param {Record<string, string>} [values]
 * @returns {string}
 */
function say(word, values = {}) {
  return CONVERSATION_WORDS[languageCode()][word].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '');
}

/**
 * @param {UploadRow} row
 * @returns {HTMLElement[]}
 */
export function conversationView(row) {
  const states = stepStates(row);
  const spans = stepSpans(row);
  const steps = [askStep, permitStep, sendStep, notifyStep, replyStep, doneStep].map((step) => step(row));
  const items = steps.map(({ title, content }, index) => {
    const span = spans[index];
    const state = states[index];
    const sign = state === 'pending' || state === 'active' ? String(index + 1) : drawn(state);
    return element(
      'li',
      { 'data-step': state },
      element('span', { class: 'dot', 'aria-hidden': 'true' }, sign),
      element('h2', {}, say(title), span === null ? null : element('small', {}, durationText(span))),
      ...content,
    );
  });
  const axis = timeAxis(row, spans);
  return [...(axis === null ? [] : [axis]), element('ol', { class: 'story' }, ...items)];
}

/**
 * @param {import('./six_steps.js').Span} span
 * @returns {string}
 */
function durationText({ from, to, exact }) {
  return (exact ? '' : '≤ ') + elapsed(to - from);
}

/**
 * The steps on one axis of time, each as long as it took, and the total.
 *
 * @param {UploadRow} row
 * @param {ReturnType<typeof stepSpans>} spans
 * @returns {HTMLElement | null} nothing before it has ended
 */
function timeAxis({ conversation }, spans) {
  const total = totalTime(conversation);
  if (total === null || spans.every((span) => span === null)) return null;
  const part = (/** @type {number} */ time) => `${total === 0 ? 0 : Math.min(100, (time / total) * 100)}%`;
  const lines = spans.flatMap((span, index) => {
    if (span === null) return [];
    const bar = element('i', { class: span.exact ? '' : 'latest' });
    bar.style.marginInlineStart = part(span.from);
    bar.style.width = part(span.to - span.from);
    const name = sayOfFiles(/** @type {import('./language.js').Word} */ (`step${index + 1}`));
    return [element('div', {}, element('dt', {}, name), element('dd', { class: 'track', 'aria-hidden': 'true' }, bar), element('dd', {}, durationText(span)))];
  });
  const sum = element('div', { class: 'sum' }, element('dt', {}, sayOfFiles('total')), element('dd', {}, elapsed(total)));
  return element('dl', { class: 'axis' }, ...lines, sum);
}

/**
 * @param {UploadRow} row
 * @returns {Step}
 */
function askStep({ conversation, error }) {
  const signature = conversation?.signature;
  if (!signature) {
    const unreachable = error?.code === 'SignatureUnavailable' && error.status === 0;
    return { title: 'ask', content: [unreachable ? prose(say('askNever')) : null] };
  }
  const { pathname, search } = new URL(signature.url, location.href);
  const cached = conversation?.signatureCached && signature.usableUntil !== null
    ? prose(say('askCached', { asked: clockTime(signature.startedAt), until: clockTime(signature.usableUntil) }))
    : null;
  return { title: 'ask', content: [line('GET', pathname + search), cached] };
}

/**
 * @param {UploadRow} row
 * @returns {Step}
 */
function permitStep({ conversation, error }) {
  const signature = conversation?.signature;
  if (!signature) {
    const refused = error?.code === 'SignatureUnavailable' && error.status > 0;
    return refused
      ? { title: 'permitRefused', content: [line(String(error.status), ''), prose(error.message)] }
      : { title: 'permit', content: [] };
  }
  const answer = parsed(signature.body);
  const callback = typeof answer?.callback === 'string' && answer.callback !== '' ? answer.callback : null;
  const whole = answer === null ? code(signature.body) : valueTable(Object.entries(answer));
  return {
    title: 'permit',
    content: [
      ...policyParts(answer?.policy),
      callback === null ? null : folded(say('callbackAsked'), code(pretty(decoded(callback)))),
      folded(say('answer'), line(String(signature.status), ''), whole),
    ],
  };
}

/**
 * @param {unknown} base64
 * @returns {(Node | null)[]} what it permits in words, and as it was signed
 */
function policyParts(base64) {
  const policy = typeof base64 === 'string' ? readPolicy(base64) : null;
  if (policy === null) return [];
  const permitted = [];
  if (policy.sizeRange !== null) {
    permitted.push(say('policySize', { min: bytes(policy.sizeRange.min), max: bytes(policy.sizeRange.max) }));
  }
  for (const condition of policy.conditions) permitted.push(conditionText(condition));
  if (policy.expiresAt !== null) permitted.push(say('policyUntil', { time: clockTime(policy.expiresAt) }));
  return [
    element('ul', {}, ...permitted.filter((text) => text !== null).map((text) => element('li', {}, text))),
    folded(say('policy'), code(pretty(policy.text))),
  ];
}

/** What says nothing about the file; it stands in the decoded policy. */
const OF_THE_FORM = new Set(['bucket', 'success_action_status', 'callback-var']);
/** Longer values stand whole in the decoded policy below. */
const OPERAND_MAX = 60;

/**
 * @param {unknown} condition
 * @returns {string | null} nothing for the size, which is said already, and for what any value meets
 */
function conditionText(condition) {
  const [operator, field, operand] = Array.isArray(condition)
    ? condition
    : ['eq', ...(Object.entries(/** @type {object} */ (condition ?? {}))[0] ?? [])];
  if (operator === 'content-length-range' || typeof field !== 'string') return null;
  if (operator === 'starts-with' && operand === '') return null;
  const name = field.replace(/^\$/, '');
  if (OF_THE_FORM.has(name)) return null;
  const values = (Array.isArray(operand) ? operand : [operand]).map(String);
  if (name === 'x-oss-forbid-overwrite' && values.length > 1) return null;
  const ending = operator === 'starts-with' ? '*' : '';
  const value = values.map((one) => (one === '' ? '' : one + ending)).join(', ');
  if (name.toLowerCase() === 'key' && operator === 'starts-with') return say('policyKey', { prefix: values[0] });
  if (name.toLowerCase() === 'content-type' && operator !== 'not-in') return say('policyTypes', { types: value });
  if (name === 'callback') return say(value === '' ? 'policyNoCallback' : 'policyCallback');
  if (value === '') return say('policyWithout', { field: name });
  const shown = value.length > OPERAND_MAX ? `${value.slice(0, OPERAND_MAX)}…` : value;
  return say(operator === 'not-in' ? 'policyNot' : 'policyField', { field: name, value: shown });
}

/**
 * @param {UploadRow} row
 * @returns {Step}
 */
function sendStep({ conversation, error, file, state }) {
  const form = conversation?.form;
  if (!form) {
    if (!error?.local) return { title: 'send', content: [] };
    const unread = error.code === 'FileUnreadable';
    return { title: 'sendNot', content: [prose(say(unread ? 'sendNotRead' : 'sendNotLocal')), unread ? null : code(error.message)] };
  }
  const fields = form.fields.map(([name, value]) => fieldRow(name, value));
  fields.push(fieldRow('file', `${form.fileName}, ${form.fileType || 'application/octet-stream'}, ${bytes(file.size)}`));
  return {
    title: state === 'refused' && conversation?.answer ? 'sendRefused' : 'send',
    content: [
      line('POST', form.url),
      element('table', { class: 'ordered' }, element('caption', {}, say('fields')), element('tbody', {}, ...fields)),
    ],
  };
}

/** @type {Record<string, ConversationWord>} */
const FIELD_NOTES = {
  policy: 'notePolicy',
  OSSAccessKeyId: 'noteAccess',
  'x-oss-credential': 'noteAccess',
  success_action_status: 'noteStatus',
  callback: 'noteCallback',
  signature: 'noteSignature',
  'x-oss-signature': 'noteSignature',
  'x-oss-forbid-overwrite': 'noteOverwrite',
  'x:name': 'noteName',
  file: 'noteFile',
};

/**
 * @param {string} name
 * @param {string} value
 * @returns {HTMLElement}
 */
function fieldRow(name, value) {
  const note = name === 'key' ? (value.includes('${filename}') ? 'noteKeyLocal' : 'noteKey') : FIELD_NOTES[name];
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, name),
    element('td', {}, shortened(value), note === undefined ? null : element('small', {}, say(note))),
  );
}

/**
 * @param {UploadRow} row
 * @returns {Step}
 */
function notifyStep(row) {
  const { ledger } = row;
  if (ledger !== null && typeof ledger === 'object') return { title: 'notify', content: recordParts(ledger) };
  const raw = row.state === 'stored-not-confirmed' ? row.error?.message ?? '' : '';
  return { title: 'notify', content: [prose(notifyText(row)), raw === '' ? null : code(raw)] };
}

/**
 * @param {UploadRow} row
 * @returns {string}
 */
function notifyText({ state, withCallback, ledger }) {
  if (!withCallback) return say('notifyNone');
  if (state === 'stored-not-confirmed') return say('notifyBad');
  if (state === 'refused' || state === 'cancelled') return say('notifyNever');
  if (state !== 'done' && state !== 'declined' && state !== 'unknown') return say('notifyWait');
  if (ledger === 'none') return say('notifyOther');
  return say(ledger === 'failed' ? 'notifyFailed' : 'notifyUnknown');
}

/**
 * @param {import('./ledger.js').LedgerRecord} record
 * @returns {Node[]}
 */
function recordParts({ request, time }) {
  const form = /[{<]/.test(request.body) ? [] : [...new URLSearchParams(request.body)];
  return [
    line(request.method, request.path),
    prose(say('received', { time: clockTime(Date.parse(time)) })),
    element('p', { class: 'caption' }, say('body')),
    code(request.body),
    ...(form.length === 0 ? [] : [element('p', { class: 'caption' }, say('bodyDecoded')), valueTable(form)]),
    folded(say('headers'), valueTable(request.headers)),
  ];
}

/**
 * @param {UploadRow} row
 * @returns {Step}
 */
function replyStep({ state, withCallback, ledger, conversation }) {
  const record = ledger !== null && typeof ledger === 'object' ? ledger : null;
  if (record?.answer) {
    const { status, contentType, body } = record.answer;
    return { title: 'reply', content: [line(String(status), contentType), code(body)] };
  }
  const relayed = withCallback && (state === 'done' || state === 'declined') ? conversation?.answer : null;
  if (!relayed) return { title: 'reply', content: [] };
  return { title: 'reply', content: [prose(say('replyRelayed')), code(relayed.body)] };
}

/**
 * @param {UploadRow} row
 * @returns {Step}
 */
function doneStep({ conversation, state, ledger, error }) {
  const answer = conversation?.answer;
  if (!answer) {
    if (state === 'unknown' && error?.code === 'StoppedWaiting') return { title: 'done', content: [prose(say('doneStopped'))] };
    const waiting = state === 'unknown' ? 'doneLost' : state === 'refused' || state === 'cancelled' ? null : 'doneWait';
    return { title: 'done', content: [waiting === null ? null : prose(say(waiting))] };
  }
  const type = answer.headers.find(([name]) => name === 'content-type')?.[1] ?? '';
  const confirmed = ledger !== null && typeof ledger === 'object' ? ledger.answer : undefined;
  return {
    title: 'done',
    content: [
      line(String(answer.status), answer.body === '' ? say('emptyBody') : type),
      answer.body === '' ? null : code(answer.body),
      confirmed !== undefined && confirmed.body === answer.body ? prose(say('same')) : null,
      folded(say('answerHeaders'), valueTable(answer.headers)),
    ],
  };
}
