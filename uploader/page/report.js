/**
 * An upload's story as text, for whoever is asked for help. No policy, signature, token or file name goes into it: it
 * is meant to be pasted where others read it.
 */

import { stepSpans, stepStates, totalTime } from './six_steps.js';

/**
 * @param {import('./upload_row.js').UploadRow} row
 * @returns {string}
 */
export function reportOf(row) {
  const { error, conversation, state, file } = row;
  const spans = stepSpans(row);
  const steps = ['ask', 'permit', 'send', 'notify', 'reply', 'done'].map((name, index) => {
    const span = spans[index];
    const took = span === null ? '' : ` ${span.exact ? '' : '<= '}${Math.round(span.to - span.from)} ms`;
    return `${name}: ${stepStates(row)[index]}${took}`;
  });
  const total = totalTime(conversation);
  const lines = [
    `Countersign upload report, ${new Date().toISOString()}`,
    `state: ${state}`,
    `page: ${location.origin}`,
    `store: ${storeOf(conversation?.form?.url)}`,
    `file: ${file.size} bytes, ${file.type || 'no type'}`,
    error === null ? null : `code: ${error.code ?? 'none'}, status ${error.status}, EC ${error.ec ?? 'none'}`,
    error === null ? null : `message: ${error.message}`,
    `request id: ${error?.requestId ?? headerOf(conversation, 'x-oss-request-id') ?? 'none'}`,
    `attempts: ${conversation?.attempts ?? 0}, signature ${conversation?.signatureCached ? 'used again' : 'fresh'}`,
    ...steps,
    total === null ? null : `total: ${Math.round(total)} ms`,
    `server: ${headerOf(conversation, 'server') ?? 'not visible'}`,
    `browser: ${navigator.userAgent}`,
  ];
  return lines.filter((line) => line !== null).join('\n');
}

/**
 * @param {string | undefined} address
 * @returns {string}
 */
function storeOf(address) {
  return address === undefined ? 'not known' : new URL(address).origin;
}

/**
 * @param {import('../src/uploader.js').Conversation | null} conversation
 * @param {string} name
 * @returns {string | undefined}
 */
function headerOf(conversation, name) {
  return conversation?.answer?.headers.find(([header]) => header === name)?.[1];
}
