import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANSWER_V1, ANSWER_V4 } from '../fakes/permission_answers.js';
import { formBody, formFields } from '../src/form.js';
import { readPermission } from '../src/permission.js';

const v1 = readPermission(JSON.stringify(ANSWER_V1));
const v4 = readPermission(JSON.stringify(ANSWER_V4));

/** @param {[string, string][]} fields */
const names = (fields) => fields.map(([name]) => name);

test("version 1 fields stand in the tutorial's order", () => {
  assert.deepEqual(names(formFields({ permission: v1, key: 'user-dir/id.png' })), [
    'key', 'policy', 'OSSAccessKeyId', 'success_action_status', 'callback', 'signature',
  ]);
});

test('version 4 fields stand in the order of its samples', () => {
  assert.deepEqual(names(formFields({ permission: v4, key: 'u/id' })), [
    'success_action_status', 'policy', 'x-oss-signature', 'x-oss-signature-version', 'x-oss-credential',
    'x-oss-date', 'key', 'x-oss-security-token', 'callback',
  ]);
});

test('a permission without callback sends no callback field, not even an empty one', () => {
  assert.ok(!names(formFields({ permission: { ...v1, callback: null }, key: 'k' })).includes('callback'));
});

test('a local name must not overwrite', () => {
  const fields = formFields({ permission: v1, key: 'user-dir/${filename}' });
  assert.deepEqual(fields.find(([name]) => name === 'key'), ['key', 'user-dir/${filename}']);
  assert.deepEqual(fields.at(-1), ['x-oss-forbid-overwrite', 'true']);
});

test('the file is last, whatever else is sent', () => {
  const fields = formFields({ permission: v1, key: 'k', further: { 'x:owner': '42' } });
  const form = formBody(fields, new Blob(['x']), 'a.txt');
  assert.equal([...form.keys()].at(-1), 'file');
  assert.equal([...form.keys()].at(-2), 'x:owner');
});

test('what is signed is sent exactly as it came', () => {
  const fields = Object.fromEntries(formFields({ permission: v1, key: 'k' }));
  assert.equal(fields.policy, ANSWER_V1.policy);
  assert.equal(fields.signature, ANSWER_V1.signature);
  assert.equal(fields.callback, ANSWER_V1.callback);
});
