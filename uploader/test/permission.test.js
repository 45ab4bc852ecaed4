import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANSWER_V1, ANSWER_V4 } from '../fakes/permission_answers.js';
import { PermissionFormatError, readPermission } from '../src/permission.js';

test('reads the answer of the version 1 samples', () => {
  const permission = readPermission(JSON.stringify(ANSWER_V1));
  assert.equal(permission.version, 'V1');
  assert.equal(permission.host, ANSWER_V1.host);
  assert.equal(permission.accessKeyId, ANSWER_V1.accessid);
  assert.equal(permission.expiresAt, 1446727949000);
  assert.equal(permission.callback, ANSWER_V1.callback);
});

test('reads an expiry written as text, as the Java sample writes it', () => {
  assert.equal(readPermission(JSON.stringify({ ...ANSWER_V1, expire: '1446727949' })).expiresAt, 1446727949000);
});

test('takes the expiry from the policy where the answer has none', () => {
  const { expire: _, ...answer } = ANSWER_V1;
  assert.equal(readPermission(JSON.stringify(answer)).expiresAt, Date.UTC(2015, 10, 5, 20, 52, 29));
});

test('knows no expiry where neither answer nor policy has one', () => {
  const { expire: _, ...answer } = ANSWER_V1;
  assert.equal(readPermission(JSON.stringify({ ...answer, policy: 'e30=' })).expiresAt, null);
});

test('has no callback where the sample without one leaves it out or empty', () => {
  const { callback: _, ...answer } = ANSWER_V1;
  assert.equal(readPermission(JSON.stringify(answer)).callback, null);
  assert.equal(readPermission(JSON.stringify({ ...answer, callback: '' })).callback, null);
});

for (const name of ['x_oss_signature_version', 'version']) {
  test(`reads a version 4 answer that calls its version ${name}`, () => {
    const { x_oss_signature_version: version, ...answer } = ANSWER_V4;
    const permission = readPermission(JSON.stringify({ ...answer, [name]: version }));
    assert.equal(permission.version, 'V4');
    assert.equal(permission.signatureVersion, 'OSS4-HMAC-SHA256');
    assert.equal(permission.accessKeyId, ANSWER_V4.x_oss_credential);
    assert.equal(permission.securityToken, 'sts-token');
  });
}

test('reads the address and form data of the Node sample', () => {
  const permission = readPermission(JSON.stringify({
    url: 'http://b.oss-cn-hangzhou.aliyuncs.com',
    formData: { policy: 'e30=', OSSAccessKeyId: 'ak', Signature: 's', 'x-oss-security-token': 't' },
  }));
  assert.equal(permission.host, 'http://b.oss-cn-hangzhou.aliyuncs.com');
  assert.equal(permission.accessKeyId, 'ak');
  assert.equal(permission.signature, 's');
  assert.equal(permission.securityToken, 't');
});

test('reads everything from fields that are an object, and keeps them all for the form', () => {
  const fields = {
    key: 'user/42/${filename}',
    callback: 'e30=',
    'x-oss-forbid-overwrite': 'true',
    'x-oss-credential': ANSWER_V4.x_oss_credential,
    'x-oss-date': ANSWER_V4.x_oss_date,
    policy: ANSWER_V1.policy,
    'x-oss-signature': 's',
  };
  const permission = readPermission(JSON.stringify({ host: 'http://127.0.0.1:9817/demo', dir: 'user/42/', fields }));
  assert.deepEqual(permission.fields, Object.entries(fields));
  assert.equal(permission.version, 'V4');
  assert.equal(permission.signature, 's');
  assert.equal(permission.callback, 'e30=');
  assert.equal(permission.expiresAt, Date.UTC(2015, 10, 5, 20, 52, 29));
});

test('reads JSON behind a byte order mark', () => {
  assert.equal(readPermission(`\uFEFF${JSON.stringify(ANSWER_V1)}`).version, 'V1');
});

test("reads the form's fields where the application gives them", () => {
  const fields = [['key', 'd/${filename}'], ['policy', 'e30='], ['signature', 's']];
  const permission = readPermission(JSON.stringify({ ...ANSWER_V1, fields }));
  assert.deepEqual(permission.fields, fields);
  assert.equal(permission.callback, null, 'what the form does not carry nobody is asked for');
  assert.equal(readPermission(JSON.stringify(ANSWER_V1)).fields, null);
});

const BAD = {
  'fields that are no pairs': JSON.stringify({ ...ANSWER_V1, fields: [['key']] }),
  'fields with a file among them': JSON.stringify({ ...ANSWER_V1, fields: [['key', 'k'], ['file', 'x']] }),
  'not JSON': '<html>',
  'a list': '[]',
  'nothing': '',
  'no policy': JSON.stringify({ ...ANSWER_V1, policy: undefined }),
  'no signature': JSON.stringify({ ...ANSWER_V1, signature: '' }),
  'no key id': JSON.stringify({ ...ANSWER_V1, accessid: undefined }),
  'a host that is relative': JSON.stringify({ ...ANSWER_V1, host: '/upload' }),
  'a host that is script': JSON.stringify({ ...ANSWER_V1, host: 'javascript:alert(1)' }),
};

for (const [what, body] of Object.entries(BAD)) {
  test(`refuses as permission: ${what}`, () => {
    assert.throws(() => readPermission(body), PermissionFormatError);
  });
}
