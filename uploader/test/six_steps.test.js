import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stepSpans, stepStates, totalTime } from '../page/six_steps.js';
import { UploadError } from '../src/upload_error.js';

/** @type {import('../src/uploader.js').Conversation} */
const conversation = {
  times: { queued: 0, signing: 100, sending: 110, confirming: 150, ended: 200 },
  signature: { url: '/signature', startedAt: 100, endedAt: 108, status: 200, body: '{}', usableUntil: 9e9 },
  signatureCached: false,
  form: null,
  key: null,
  answer: { status: 200, headers: [], body: '' },
  attempts: 1,
};

/**
 * @param {Partial<import('../page/six_steps.js').Standing>} standing
 * @returns {import('../page/six_steps.js').Standing}
 */
const standing = (standing) => ({
  state: 'done', withCallback: true, conversation, error: null, calledBackAt: null, ...standing,
});

/** @param {Partial<import('../page/six_steps.js').Standing>} how */
const durations = (how) => stepSpans(standing(how)).map((span) => span && `${span.exact ? '' : '≤'}${span.to - span.from}`);

test('each step has its duration, at the longest where only the ledger would know', () => {
  assert.deepEqual(durations({}), [null, '8', '42', '≤50', null, null]);
});

test("the ledger's time divides the answer where its clock agrees", () => {
  assert.deepEqual(durations({ calledBackAt: 180 }), [null, '8', '42', '30', '≤20', null]);
  assert.deepEqual(durations({ calledBackAt: 99_180 }), [null, '8', '42', '≤50', null, null]);
});

test('the file had left when the application was called, however late the browser says so', () => {
  assert.deepEqual(durations({ calledBackAt: 140 }), [null, '8', '≤32', '0', '≤60', null]);
});

for (const how of [{}, { calledBackAt: 180 }, { calledBackAt: 140 }, { withCallback: false, state: /** @type {const} */ ('stored') }]) {
  test(`the durations are together the total: ${JSON.stringify(how)}`, () => {
    const spans = stepSpans(standing(how)).filter((span) => span !== null);
    assert.equal(spans.reduce((sum, { from, to }) => sum + to - from, 0), totalTime(conversation));
  });
}

test('a cached permission took no time', () => {
  assert.equal(durations({ conversation: { ...conversation, signatureCached: true } })[1], '0');
});

test('a callback that nobody asked for is skipped, and the answer is what was waited for', () => {
  const stored = { state: /** @type {const} */ ('stored'), withCallback: false };
  assert.deepEqual(stepStates(standing(stored)).slice(2), ['ok', 'skipped', 'skipped', 'ok']);
  assert.deepEqual(durations(stored), [null, '8', '42', null, null, '50']);
});

test('no step after the permission is done before the store has answered', () => {
  for (const state of /** @type {const} */ (['sending', 'confirming', 'unknown', 'cancelled', 'offline'])) {
    for (const withCallback of [true, false]) {
      assert.ok(!stepStates(standing({ state, withCallback })).slice(2).includes('ok'), state);
    }
  }
});

test('an application that was reached and one that was not are told apart', () => {
  const failed = (/** @type {string} */ message) =>
    stepStates(standing({ state: 'stored-not-confirmed', error: new UploadError('stored-not-confirmed', message) }));
  assert.deepEqual(failed('Error status : 500.').slice(3), ['ok', 'warn', 'warn']);
  assert.deepEqual(failed('Error status : -1.OSS can not connect to your callbackUrl, please check it.').slice(3), ['warn', 'pending', 'warn']);
});

test('a refusal stands at the step that refused', () => {
  const refused = (/** @type {number} */ status, /** @type {typeof conversation | null} */ said) =>
    stepStates(standing({ state: 'refused', conversation: said, error: new UploadError('refused', '', { status }) })).indexOf('fail');
  assert.equal(refused(0, { ...conversation, signature: null }), 0);
  assert.equal(refused(500, { ...conversation, signature: null }), 1);
  assert.equal(refused(403, conversation), 2);
});
