import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readErrorDocument } from '../src/error_document.js';
import { readOutcome } from '../src/outcome.js';
import { UploadError } from '../src/upload_error.js';

const ERROR = (/** @type {string} */ code, /** @type {string} */ message) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Error>\n  <Code>${code}</Code>\n  <Message>${message}</Message>\n` +
  '  <RequestId>5C3D9175B6FC201293AD4890</RequestId>\n  <HostId>b.test</HostId>\n  <EC>0007-00000203</EC>\n</Error>';

/**
 * @param {number} status
 * @param {string} body
 * @param {{ withCallback?: boolean, local?: boolean, headers?: [string, string][] }} [how]
 */
function read(status, body, { withCallback = true, local = false, headers = [] } = {}) {
  return readOutcome({ status, body, headers }, { key: 'd/k', keyIsChosenByStore: local, withCallback });
}

/**
 * @param {() => unknown} run
 * @returns {UploadError}
 */
function failure(run) {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof UploadError);
    return error;
  }
  throw new assert.AssertionError({ message: 'it should have failed' });
}

for (const status of ['OK', 'Ok', 'ok']) {
  test(`is done when the application says ${status}`, () => {
    const result = read(200, JSON.stringify({ Status: status, key: 'other' }), { headers: [['x-oss-request-id', 'R']] });
    assert.equal(result.outcome, 'done');
    assert.equal(result.key, 'd/k');
    assert.equal(result.requestId, 'R');
    assert.deepEqual(result.answer, { Status: status, key: 'other' });
  });
}

test('is done when the application answers without a Status', () => {
  assert.equal(read(200, '{"id":7}').outcome, 'done');
  assert.equal(read(200, '[1]').outcome, 'done');
  assert.equal(read(200, '<done/>').answer, '<done/>');
});

test("is declined with the application's message when its Status is something else", () => {
  const error = failure(() => read(200, '{"Status":"verify not ok","message":"quota used up"}'));
  assert.equal(error.outcome, 'declined');
  assert.equal(error.message, 'quota used up');
  assert.equal(error.stored, true);
  assert.equal(error.key, 'd/k');
});

test('is declined also without a message and with a Status that is no text', () => {
  assert.match(failure(() => read(200, '{"Status":"no"}')).message, /no/);
  assert.equal(failure(() => read(200, '{"Status":false}')).outcome, 'declined');
  assert.equal(failure(() => read(200, '{"Status":null}')).outcome, 'declined');
});

for (const status of [200, 204]) {
  test(`without callback an empty ${status} means stored`, () => {
    assert.deepEqual(read(status, '', { withCallback: false }), {
      outcome: 'stored', key: 'd/k', answer: null, status, requestId: null,
    });
  });
}

test('an empty answer to a callback is no confirmation', () => {
  assert.equal(read(204, '').outcome, 'stored');
});

test('203 is stored but not confirmed, with the reason and the request id', () => {
  const error = failure(() => read(203, ERROR('CallbackFailed', 'Error status : 500.')));
  assert.equal(error.outcome, 'stored-not-confirmed');
  assert.equal(error.stored, true);
  assert.equal(error.code, 'CallbackFailed');
  assert.equal(error.message, 'Error status : 500.');
  assert.equal(error.requestId, '5C3D9175B6FC201293AD4890');
  assert.equal(error.ec, '0007-00000203');
});

test("a refusal carries the store's code, message and request id", () => {
  const error = failure(() => read(403, ERROR('AccessDenied', 'Policy Condition failed: [&quot;eq&quot;, &#x22;$key&#34;]')));
  assert.equal(error.outcome, 'refused');
  assert.equal(error.stored, false);
  assert.equal(error.code, 'AccessDenied');
  assert.equal(error.message, 'Policy Condition failed: ["eq", "$key"]');
  assert.equal(error.requestId, '5C3D9175B6FC201293AD4890');
});

test('a refusal that is no error document keeps its status', () => {
  const error = failure(() => read(502, '<html>Bad gateway</html>', { headers: [['x-oss-request-id', 'R']] }));
  assert.equal(error.status, 502);
  assert.equal(error.code, null);
  assert.equal(error.requestId, 'R');
});

test('a local name takes the key from the answer', () => {
  assert.equal(read(200, '{"Status":"OK","key":"d/real.txt"}', { local: true }).key, 'd/real.txt');
  assert.equal(read(201, '<PostResponse><Key>d/a&amp;b</Key></PostResponse>', { local: true, withCallback: false }).key, 'd/a&b');
  assert.equal(read(200, '', { local: true, withCallback: false }).key, 'd/k');
});

test('an error document is read through its escapes and never beyond Unicode', () => {
  assert.equal(readErrorDocument('<Message>&lt;&amp;&gt;&apos;&unknown;&#x110000;</Message>').message, "<&>'&unknown;&#x110000;");
});
