import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TUTORIAL_POLICY, encodePolicy } from '../fakes/permission_answers.js';
import { contentTypeRefusal, readPolicy } from '../src/policy_document.js';

/** @param {unknown[]} conditions */
function policyOf(...conditions) {
  const policy = readPolicy(encodePolicy({ expiration: '2030-01-01T00:00:00.000Z', conditions }));
  assert.ok(policy !== null);
  return policy;
}

test("reads the tutorial's policy", () => {
  const policy = readPolicy(TUTORIAL_POLICY);
  assert.deepEqual(policy?.sizeRange, { min: 0, max: 1048576000 });
  assert.equal(policy?.expiresAt, Date.UTC(2015, 10, 5, 20, 52, 29));
});

test('reads the escaped dollar that OSS allows and JSON does not', () => {
  const text = '{"expiration":"2030-01-01T00:00:00Z","conditions":[["eq","\\$key","a\\\\$b"]]}';
  const policy = readPolicy(Buffer.from(text).toString('base64'));
  assert.deepEqual(policy?.conditions, [['eq', '$key', 'a\\$b']]);
});

test('gives nothing for what it cannot read, since the store will say what is wrong', () => {
  assert.equal(readPolicy('*'), null);
  assert.equal(readPolicy('bm90IGpzb24='), null);
});

test('several size ranges permit what all of them permit', () => {
  const { sizeRange } = policyOf(['content-length-range', 1, 100], ['content-length-range', 5, 200]);
  assert.deepEqual(sizeRange, { min: 5, max: 100 });
});

test('names the condition that a content type does not meet', () => {
  const condition = ['in', '$Content-Type', ['image/jpeg', 'image/png']];
  assert.equal(contentTypeRefusal(policyOf(condition), 'image/gif'), '["in", "$Content-Type", ["image/jpeg", "image/png"]]');
  assert.equal(contentTypeRefusal(policyOf(condition), 'image/png'), null);
});

test('knows the short form of equality', () => {
  assert.equal(contentTypeRefusal(policyOf({ 'content-type': 'a/b' }), 'a/c'), '["eq", "$content-type", "a/b"]');
  assert.equal(contentTypeRefusal(policyOf({ 'content-type': 'a/b' }), 'a/b'), null);
});

test('knows every operator on content types and leaves the unknown to the store', () => {
  assert.ok(contentTypeRefusal(policyOf(['eq', 'content-type', 'image/png']), 'image/gif'));
  assert.ok(contentTypeRefusal(policyOf(['starts-with', '$content-type', 'image/']), 'text/html'));
  assert.ok(contentTypeRefusal(policyOf(['not-in', '$content-type', ['text/html']]), 'text/html'));
  assert.equal(contentTypeRefusal(policyOf(['matches', '$content-type', 'x']), 'text/html'), null);
  assert.equal(contentTypeRefusal(policyOf(['eq', '$key', 'x']), 'text/html'), null);
});
