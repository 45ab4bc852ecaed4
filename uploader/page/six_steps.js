/** Where an upload stands on the six steps from the question to the answer, and how long each took. */

/**
 * @typedef {'queued' | 'signing' | 'sending' | 'confirming' | 'offline' | 'done' | 'stored' | 'stored-not-confirmed'
 *   | 'declined' | 'unknown' | 'refused' | 'cancelled'} RowState
 *
 * @typedef {'pending' | 'active' | 'ok' | 'warn' | 'fail' | 'skipped'} StepState
 */

/**
 * @typedef {object} Standing
 * @property {RowState} state
 * @property {boolean} withCallback
 * @property {import('../src/uploader.js').Conversation | null} conversation
 * @property {import('../src/upload_error.js').UploadError | null} error
 * @property {number | null} calledBackAt from the ledger, on the application's clock
 */

/** @type {Record<string, StepState>} */
const SIGNS = { '.': 'pending', '>': 'active', '+': 'ok', '!': 'warn', x: 'fail', '-': 'skipped' };

/**
 * @param {string} picture six signs
 * @returns {StepState[]}
 */
function steps(picture) {
  return Array.from(picture, (sign) => SIGNS[sign]);
}

/**
 * The third step is done when the store has answered, and never before: that the last byte left the browser proves
 * nothing, since a proxy or the system's buffers may hold it.
 *
 * @param {Standing} standing
 * @returns {StepState[]} of the six
 */
export function stepStates({ state, withCallback, conversation, error }) {
  switch (state) {
    case 'queued':
      return steps('......');
    case 'offline':
    case 'signing':
      return steps('>.....');
    case 'sending':
    case 'confirming':
      return steps(withCallback ? '++>...' : '++>--.');
    case 'done':
      return steps('++++++');
    case 'stored':
      return steps('+++--+');
    case 'declined':
      return steps('++++!!');
    case 'stored-not-confirmed':
      return steps(answeredBadly(error) ? '++++!!' : '+++!.!');
    case 'unknown':
      return steps('++!..!');
    case 'refused':
      return steps(refusedSteps(conversation, error));
    case 'cancelled':
      return steps(conversation?.times.sending ? '++x...' : 'x.....');
  }
}

/**
 * @param {import('../src/upload_error.js').UploadError | null} error
 * @returns {boolean} whether the application was reached and it was its answer that failed
 */
function answeredBadly(error) {
  return error !== null && /status\s*:\s*[1-9]|json|length/i.test(error.message);
}

/**
 * @param {Standing['conversation']} conversation
 * @param {Standing['error']} error
 * @returns {string}
 */
function refusedSteps(conversation, error) {
  if (conversation?.signature) return conversation.answer ? '++x..x' : '++x...';
  return error !== null && error.status > 0 ? '+x....' : 'x.....';
}

/**
 * @typedef {object} Span milliseconds since the first step; the spans follow each other without a gap
 * @property {number} from
 * @property {number} to
 * @property {boolean} exact false: at the longest
 */

/**
 * What each step took, so that all together are the total. The question takes no time of its own: its answer is what
 * one waits for. What happens between store and application the browser learns from the ledger, and trusts that time
 * only where the two clocks evidently agree; otherwise it knows only that it was before the store's answer.
 *
 * @param {Standing} standing
 * @returns {(Span | null)[]} of the six
 */
export function stepSpans(standing) {
  const { conversation, calledBackAt, withCallback } = standing;
  const start = conversation?.times.signing;
  if (conversation === null || start === undefined) return [null, null, null, null, null, null];
  const { signature, signatureCached, times } = conversation;
  const since = (/** @type {number | undefined} */ time) => (time === undefined ? null : time - start);
  const permitted = signature === null ? null : signatureCached ? 0 : Math.max(0, signature.endedAt - start);
  const ended = conversation.answer === null ? null : since(times.ended);
  const plausible = calledBackAt !== null && times.sending !== undefined && times.ended !== undefined
    && calledBackAt >= times.sending && calledBackAt <= times.ended;
  const called = plausible && ended !== null ? since(/** @type {number} */ (calledBackAt)) : null;
  const left = since(times.confirming);
  // Browsers learn late that the last byte has left; it had, when the application was already being called.
  const late = left !== null && called !== null && called < left;
  const sent = late ? called : left;
  const asked = withCallback && stepStates(standing)[3] !== 'pending';
  return [
    null,
    span(0, permitted),
    span(permitted, sent ?? (asked ? null : ended), !late),
    asked ? span(sent, called ?? ended, called !== null) : null,
    asked ? span(called, ended, false) : null,
    asked ? null : span(sent, ended),
  ];
}

/**
 * @param {number | null} from
 * @param {number | null} to
 * @param {boolean} [exact]
 * @returns {Span | null}
 */
function span(from, to, exact = true) {
  return from === null || to === null ? null : { from, to: Math.max(from, to), exact };
}

/**
 * @param {Standing['conversation']} conversation
 * @returns {number | null} milliseconds from the question to the end, however it ended
 */
export function totalTime(conversation) {
  const { signing, ended } = conversation?.times ?? {};
  return signing === undefined || ended === undefined ? null : ended - signing;
}
