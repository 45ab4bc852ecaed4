import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANSWER_V1, ANSWER_V4 } from '../fakes/permission_answers.js';
import { withType } from '../src/content_type.js';
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

const FIELDS = [['key', 'u/${filename}'], ['policy', 'p'], ['callback', ANSWER_V1.callback], ['x:owner', '42'], ['Signature', 's']];

test("the application's fields are sent as they came and in their order, under a key of this client's own", () => {
  const permission = readPermission(JSON.stringify({ ...ANSWER_V1, fields: FIELDS }));
  const fields = formFields({ permission, key: 'u/id.png', originalName: '照片 1.png' });
  assert.deepEqual(fields, [['key', 'u/id.png'], ...FIELDS.slice(1), ['x:name', '照片 1.png']]);
});

test('no field is sent twice', () => {
  const signed = [...FIELDS, ['x-oss-forbid-overwrite', 'true'], ['x:name', 'signed']];
  const permission = readPermission(JSON.stringify({ ...ANSWER_V1, fields: signed }));
  const fields = formFields({ permission, key: 'u/${filename}', originalName: 'a.txt', further: { 'x:owner': '43' } });
  assert.equal(new Set(names(fields)).size, fields.length);
  assert.deepEqual(fields.filter(([name]) => name.startsWith('x:')), [['x:name', 'signed'], ['x:owner', '43']]);
});

test('the original name goes where it is asked for, and nowhere else', () => {
  const asking = { ...v1, callback: btoa('{"callbackBody":"{\\"name\\":${x:name}}"}') };
  for (const name of ['照片.jpg', '😀.heic', 'a+b #1% c.txt', 'n'.repeat(255)]) {
    assert.deepEqual(formFields({ permission: asking, key: 'k', originalName: name }).at(-1), ['x:name', name]);
  }
  assert.ok(!names(formFields({ permission: v1, key: 'k', originalName: 'a.txt' })).includes('x:name'));
  assert.ok(!names(formFields({ permission: asking, key: 'k', originalName: '' })).includes('x:name'));
});

test('a photograph whose type the device does not know is sent with its own', () => {
  assert.equal(withType(new File(['x'], 'a.HEIC'), 'a.HEIC').type, 'image/heic');
  assert.equal(withType(new File(['x'], 'a.heic', { type: 'image/heif' }), 'a.heic').type, 'image/heif');
  assert.equal(withType(new File(['x'], 'heic'), 'heic').type, '');
});
