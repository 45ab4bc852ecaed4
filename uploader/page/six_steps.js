/** Where an upload stands on the six steps from the question to the answer, and when each was reached. */

/**
 * @typedef {'queued' | 'signing' | 'sending' | 'confirming' | 'done' | 'stored' | 'stored-not-confirmed' | 'declined'
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

/**
 * @param {Standing} standing
 * @returns {StepState[]} of the six
 */
export function stepStates({ state, withCallback, conversation, error }) {
  /** @type {StepState[]} */
  const asked = withCallback ? ['pending', 'pending', 'pending'] : ['skipped', 'skipped', 'pending'];
  switch (state) {
    case 'queued':
      return ['pending', 'pending', 'pending', 'pending', 'pending', 'pending'];
    case 'signing':
      return ['active', 'pending', 'pending', 'pending', 'pending', 'pending'];
    case 'sending':
      return ['ok', 'ok', 'active', ...asked];
    case 'confirming':
      return withCallback ? ['ok', 'ok', 'ok', 'active', 'pending', 'pending'] : ['ok', 'ok', 'ok', 'skipped', 'skipped', 'active'];
    case 'done':
      return ['ok', 'ok', 'ok', 'ok', 'ok', 'ok'];
    case 'stored':
      return ['ok', 'ok', 'ok', 'skipped', 'skipped', 'ok'];
    case 'declined':
      return ['ok', 'ok', 'ok', 'ok', 'warn', 'warn'];
    case 'stored-not-confirmed':
      return answeredBadly(error) ? ['ok', 'ok', 'ok', 'ok', 'warn', 'warn'] : ['ok', 'ok', 'ok', 'warn', 'pending', 'warn'];
    case 'unknown':
      return ['ok', 'ok', 'ok', 'pending', 'pending', 'warn'];
    case 'refused':
      return refusedSteps(conversation, error);
    case 'cancelled':
      return conversation?.times.sending ? ['ok', 'ok', 'fail', 'pending', 'pending', 'pending'] : ['fail', 'pending', 'pending', 'pending', 'pending', 'pending'];
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
 * @returns {StepState[]}
 */
function refusedSteps(conversation, error) {
  if (conversation?.signature) return ['ok', 'ok', 'fail', 'pending', 'pending', conversation.answer ? 'fail' : 'pending'];
  return error !== null && error.status > 0
    ? ['ok', 'fail', 'pending', 'pending', 'pending', 'pending']
    : ['fail', 'pending', 'pending', 'pending', 'pending', 'pending'];
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
