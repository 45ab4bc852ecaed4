// The golden vectors of forms, recomputed with Node's own crypto. Rust reads the same files in
// crates/protocol/tests/post_vectors.rs.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

/** @param {string} name @returns {any[]} */
const cases = (name) => {
  const { cases } = JSON.parse(readFileSync(new URL(`../../vectors/${name}`, import.meta.url), 'utf8'));
  assert.ok(cases.length > 0);
  return cases;
};

/** @param {string | Buffer} key @param {string} text */
const hmac = (key, text) => createHmac('sha256', key).update(text).digest();

/** @param {string} text */
const base64 = (text) => Buffer.from(text, 'utf8').toString('base64');

test('V1 signatures are those of the vectors', () => {
  for (const { name, secret, policy_json, policy_base64, string_to_sign, signature } of cases('post_signature_v1.json')) {
    assert.equal(base64(policy_json), policy_base64, name);
    assert.equal(string_to_sign, policy_base64, name);
    assert.equal(createHmac('sha1', secret).update(string_to_sign).digest('base64'), signature, name);
  }
});

test('V4 signatures and every link of their key are those of the vectors', () => {
  for (const vector of cases('post_signature_v4.json')) {
    const [accessKeyId, ...links] = vector.credential.split('/');
    assert.equal(accessKeyId, vector.access_key_id);
    assert.equal(links[0], vector.date.slice(0, 8));
    /** @type {string | Buffer} */
    let key = `aliyun_v4${vector.secret}`;
    const chain = links.map((/** @type {string} */ link) => (key = hmac(key, link)).toString('hex'));
    assert.deepEqual(chain, vector.key_chain, vector.name);
    assert.equal(chain.at(-1), vector.signing_key, vector.name);
    assert.equal(base64(vector.policy_json), vector.policy_base64, vector.name);
    assert.equal(hmac(key, vector.string_to_sign).toString('hex'), vector.signature, vector.name);
  }
});

test('every policy of the vectors is the base64 of its JSON', () => {
  for (const { name, policy_json, policy_base64, refused } of cases('policy.json')) {
    if (refused && policy_json === '') continue;
    assert.equal(base64(policy_json), policy_base64, name);
  }
});

test("the tutorial's texts are sound once the blog's stray letters are taken out", () => {
  for (const { name, as_printed, stray, repaired, json } of cases('tutorial.json')) {
    const positions = new Set(stray.map((/** @type {{ at: number }} */ { at }) => at));
    assert.equal([...as_printed].filter((_, at) => !positions.has(at)).join(''), repaired, name);
    assert.equal(Buffer.from(repaired, 'base64').toString('utf8'), json, name);
    JSON.parse(json);
  }
  const [policy] = cases('tutorial.json');
  assert.deepEqual(JSON.parse(policy.json).conditions, [
    ['content-length-range', policy.size_min, policy.size_max],
    ['starts-with', '$key', policy.key_prefix],
  ]);
});
