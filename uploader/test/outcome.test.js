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

test("a proxy's 413 is told as the proxy's, and nothing was stored", () => {
  for (const body of ['<html>\r\n<head><title>413 Request Entity Too Large</title></head>', '', 'too big']) {
    const error = failure(() => read(413, body));
    assert.deepEqual([error.code, error.outcome, error.status], ['ProxyBodyTooLarge', 'refused', 413]);
    assert.match(error.message, /proxy .*client_max_body_size/s);
  }
});

test("a gateway's page is not the store's answer: whether the file is stored is not known", () => {
  const page = '<html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n<body></body></html>';
  const error = failure(() => read(504, page, { headers: [['x-oss-request-id', 'R']] }));
  assert.deepEqual([error.code, error.outcome, error.stored, error.requestId], ['NotTheStore', 'unknown', null, 'R']);
  assert.match(error.message, /504 .*HTML \(“504 Gateway Time-out”\)/);
  assert.equal(failure(() => read(502, 'Bad gateway')).outcome, 'unknown');
});

test("another server's refusal is told as such", () => {
  const error = failure(() => read(405, '<!DOCTYPE html><title>405</title>'));
  assert.deepEqual([error.code, error.outcome], ['NotTheStore', 'refused']);
});

for (const [status, withCallback] of /** @type {[number, boolean][]} */ ([[200, true], [200, false], [203, true]])) {
  test(`a page of HTML with ${status} ${withCallback ? 'instead of the application\'s answer' : 'without a callback'} proves nothing`, () => {
    const error = failure(() => read(status, '\n<!doctype html><title>Welcome to the hotel</title>', { withCallback }));
    assert.deepEqual([error.code, error.outcome], ['NotTheStore', 'unknown']);
  });
}

test('the remedy of the store travels with the error', () => {
  const more = '<CallbackAllow>--callback-allow 127.0.0.1/32:8888</CallbackAllow><RecommendDoc>http://s/_countersign/docs/errors/CallbackFailed</RecommendDoc>';
  const error = failure(() => read(203, ERROR('CallbackFailed', 'no').replace('</Error>', `${more}</Error>`)));
  assert.equal(error.callbackAllow, '--callback-allow 127.0.0.1/32:8888');
  assert.equal(error.recommendDoc, 'http://s/_countersign/docs/errors/CallbackFailed');
});

test('a local name takes the key from the answer', () => {
  assert.equal(read(200, '{"Status":"OK","key":"d/real.txt"}', { local: true }).key, 'd/real.txt');
  assert.equal(read(201, '<PostResponse><Key>d/a&amp;b</Key></PostResponse>', { local: true, withCallback: false }).key, 'd/a&b');
  assert.equal(read(200, '', { local: true, withCallback: false }).key, 'd/k');
});

test('an error document is read through its escapes and never beyond Unicode', () => {
  assert.equal(readErrorDocument('<Message>&lt;&amp;&gt;&apos;&unknown;&#x110000;</Message>').message, "<&>'&unknown;&#x110000;");
});
