/** Where an upload stands on the six steps from the question to the answer, and when each was reached. */

/**
 * @typedef {'queued' | 'signing' | 'sending' | 'confirming' | 'offline' | 'done' | 'stored' | 'stored-not-confirmed' | 'declined'
 *   | 'unknown' | 'refused' | 'cancelled'} RowState
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
      return steps(withCallback ? '++>...' : '++>--.');
    case 'confirming':
      return steps(withCallback ? '+++>..' : '+++-->');
    case 'done':
      return steps('++++++');
    case 'stored':
      return steps('+++--+');
    case 'declined':
      return steps('++++!!');
    case 'stored-not-confirmed':
      return steps(answeredBadly(error) ? '++++!!' : '+++!.!');
    case 'unknown':
      return steps('+++..!');
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
 * @typedef {object} StepTime
 * @property {number} after milliseconds since the first step
 * @property {boolean} exact false: at the latest
 */

/**
 * The browser sees steps 1, 2, 3 and 6 itself. What happens between store and application it learns from the
 * ledger, and trusts that time only where the two clocks evidently agree; otherwise it knows only that it was
 * before the answer.
 *
 * @param {Standing} standing
 * @returns {(StepTime | null)[]} of the six
 */
export function stepTimes(standing) {
  const { conversation, calledBackAt } = standing;
  const start = conversation?.times.signing;
  if (conversation === null || start === undefined) return [null, null, null, null, null, null];
  const { signature, signatureCached, times } = conversation;
  const since = (/** @type {number | undefined} */ time) => (time === undefined ? null : { after: time - start, exact: true });
  const ended = conversation.answer === null ? null : since(times.ended);
  const permitted = signature === null ? null : since(signatureCached ? start : signature.endedAt);
  const states = stepStates(standing);
  const latest = ended && { after: ended.after, exact: false };
  const plausible = calledBackAt !== null && times.sending !== undefined && times.ended !== undefined
    && calledBackAt >= times.sending && calledBackAt <= times.ended;
  const calledBack = plausible ? since(/** @type {number} */ (calledBackAt)) : null;
  const sent = since(times.confirming);
  return [
    since(start),
    permitted,
    // Browsers learn late that the last byte has left; it had, when the application was already being called.
    sent !== null && calledBack !== null && calledBack.after < sent.after ? { ...calledBack, exact: false } : sent,
    states[3] === 'ok' ? (calledBack ?? latest) : null,
    states[4] === 'ok' || states[4] === 'warn' ? latest : null,
    ended,
  ];
}
