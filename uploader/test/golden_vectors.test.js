import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { contentTypeRefusal, decodeBase64, readPolicy } from '../src/policy_document.js';

/** @param {string} name */
const read = (name) => JSON.parse(readFileSync(new URL(`../../vectors/${name}`, import.meta.url), 'utf8')).cases;

/** What the server takes where the policy names no size. */
const BYTES_MAX = 5 * 1024 ** 3;

for (const one of read('policy.json')) {
  if (one.refused !== undefined) continue;
  test(`reads as the server does: ${one.name}`, () => {
    const policy = readPolicy(one.policy_base64);
    assert.ok(policy !== null);
    assert.equal(policy.text, one.policy_json);
    const expired = policy.expiresAt !== null && policy.expiresAt <= Date.parse(one.now);
    assert.equal(expired, /expired/.test(one.denied?.message ?? ''));
    const field = (/** @type {string} */ name) =>
      one.fields.find((/** @type {[string, string]} */ [other]) => other.toLowerCase() === name)?.[1];
    const type = field('x-oss-content-type') ?? one.part_content_type ?? field('content-type') ?? 'application/octet-stream';
    const refusal = contentTypeRefusal(policy, type);
    if (one.allowed !== undefined) {
      assert.equal(refusal, null);
      const { min, max } = policy.sizeRange ?? { min: 0, max: BYTES_MAX };
      assert.deepEqual([min, max], [one.allowed.bytes_min, one.allowed.bytes_max]);
    } else {
      const ofType = (one.denied.failed ?? []).filter((/** @type {string} */ text) => /"\$content-type"/i.test(text));
      assert.deepEqual(refusal === null ? [] : [refusal], ofType);
    }
  });
}

test("reads the tutorial's own policy and callback", () => {
  const [policy, callback] = read('tutorial.json');
  const document = readPolicy(policy.repaired);
  assert.equal(document?.text, policy.json);
  assert.equal(document?.expiresAt, Date.parse(policy.expiration));
  assert.deepEqual(document?.sizeRange, { min: policy.size_min, max: policy.size_max });
  assert.equal(decodeBase64(callback.repaired), callback.json);
  assert.equal(readPolicy(policy.as_printed), null);
});
