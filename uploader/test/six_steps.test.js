import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stepStates, stepTimes } from '../page/six_steps.js';
import { UploadError } from '../src/upload_error.js';

/** @type {import('../src/uploader.js').Conversation} */
const conversation = {
  times: { queued: 0, signing: 100, sending: 110, confirming: 150, ended: 200 },
  signature: { url: '/signature', startedAt: 100, endedAt: 108, status: 200, body: '{}', usableUntil: 9e9 },
  signatureCached: false,
  form: null,
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

test('the times are those of the browser, and at the latest where only the ledger would know', () => {
  assert.deepEqual(stepTimes(standing({})), [
    { after: 0, exact: true }, { after: 8, exact: true }, { after: 50, exact: true },
    { after: 100, exact: false }, { after: 100, exact: false }, { after: 100, exact: true },
  ]);
});

test("the ledger's time is used where its clock agrees", () => {
  assert.deepEqual(stepTimes(standing({ calledBackAt: 180 }))[3], { after: 80, exact: true });
  assert.deepEqual(stepTimes(standing({ calledBackAt: 99_180 }))[3], { after: 100, exact: false });
});

test('the file had left when the application was called, however late the browser says so', () => {
  assert.deepEqual(stepTimes(standing({ calledBackAt: 140 }))[2], { after: 40, exact: false });
});

test('a cached permission took no time', () => {
  assert.deepEqual(stepTimes(standing({ conversation: { ...conversation, signatureCached: true } }))[1], { after: 0, exact: true });
});

test('a callback that nobody asked for is skipped', () => {
  assert.deepEqual(stepStates(standing({ state: 'stored', withCallback: false })).slice(2), ['ok', 'skipped', 'skipped', 'ok']);
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
