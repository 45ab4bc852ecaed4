// Calculates the signature vectors again with nothing but Node's own crypto, apart from the Rust code that
// reads the same files: `node --test vectors/`. Two readers who agree are the reason to believe either.

import assert from 'node:assert/strict';
import { createHash, createHmac, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const read = (name) => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8')).cases;
const hmac = (algorithm, key, text) => createHmac(algorithm, key).update(text).digest();
const encode = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

for (const file of ['header_signature_v1.json', 'url_signature_v1.json']) {
  for (const one of read(file)) {
    test(`${file}: ${one.name}`, () => {
      assert.equal(hmac('sha1', one.secret, one.string_to_sign).toString('base64'), one.signature);
      assert.ok(one.string_to_sign.startsWith(`${one.method}\n`));
      if (one.authorization) assert.equal(one.authorization, `OSS ${one.access_key_id}:${one.signature}`);
      if (one.signed_query) assert.ok(one.signed_query.endsWith(`Expires=${one.expires}&Signature=${encode(one.signature)}`));
    });
  }
}

for (const file of ['header_signature_v4.json', 'url_signature_v4.json']) {
  for (const one of read(file)) {
    test(`${file}: ${one.name}`, () => {
      const digest = createHash('sha256').update(one.canonical_request).digest('hex');
      assert.equal(digest, one.canonical_request_sha256);
      assert.equal(one.scope, `${one.date.slice(0, 8)}/${one.region}/oss/aliyun_v4_request`);
      assert.equal(one.string_to_sign, `OSS4-HMAC-SHA256\n${one.date}\n${one.scope}\n${digest}`);
      const key = one.scope.split('/').reduce((last, step) => hmac('sha256', last, step), `aliyun_v4${one.secret}`);
      assert.equal(key.toString('hex'), one.signing_key);
      assert.equal(hmac('sha256', key, one.string_to_sign).toString('hex'), one.signature);
      const path = one.bucket === null ? '/' : `/${one.bucket}/${encode(one.key ?? '').replaceAll('%2F', '/')}`;
      assert.equal(one.canonical_request.split('\n')[1], path);
    });
  }
}

for (const one of read('post_signature_v1.json')) {
  test(`post_signature_v1.json: ${one.name}`, () => {
    assert.equal(Buffer.from(one.policy_json).toString('base64'), one.policy_base64);
    assert.equal(hmac('sha1', one.secret, one.policy_base64).toString('base64'), one.signature);
  });
}

for (const one of read('post_signature_v4.json')) {
  test(`post_signature_v4.json: ${one.name}`, () => {
    const [, ...scope] = one.credential.split('/');
    const key = scope.reduce((last, step) => hmac('sha256', last, step), `aliyun_v4${one.secret}`);
    assert.equal(key.toString('hex'), one.signing_key);
    assert.equal(Buffer.from(one.policy_json).toString('base64'), one.policy_base64);
    assert.equal(hmac('sha256', key, one.policy_base64).toString('hex'), one.signature);
  });
}

const callbacks = JSON.parse(readFileSync(new URL('callback_signature.json', import.meta.url), 'utf8'));
for (const one of callbacks.cases) {
  test(`callback_signature.json: ${one.id}, ${one.name}`, () => {
    const key = createPublicKey(callbacks.public_key_pem);
    const signature = Buffer.from(one.authorization, 'base64');
    assert.ok(verify('md5', Buffer.from(one.string_to_sign), key, signature));
    assert.ok(!verify('md5', Buffer.from(`${one.string_to_sign} `), key, signature));
    assert.equal(createHash('md5').update(one.body).digest('base64'), one.content_md5);
  });
}

for (const one of read('callback_expansion.json')) {
  test(`callback_expansion.json: ${one.name}`, () => assert.equal(expand(one), one.expanded));
}

/** Its own expansion, by one pass over the template. */
function expand({ template, body_type: type, variables }) {
  const json = type === 'application/json';
  const { image, custom, ...plain } = variables;
  const values = new Map([
    ...Object.entries(plain),
    ...Object.entries(image ?? {}).map(([name, value]) => [`imageInfo.${name}`, value]),
    ...custom,
  ]);
  let quoted = false;
  return template.replace(/\$\{([^}]*)\}|\\.|"/g, (found, name) => {
    if (found === '"') quoted = !quoted;
    if (name === undefined) return found;
    const value = values.get(name) ?? null;
    if (value === null) return json && !quoted ? 'null' : '';
    if (typeof value === 'number' || name === 'crc64') return String(value);
    return json ? JSON.stringify(value) : encode(value);
  });
}

for (const one of read('original_name.json')) {
  test(`original_name.json: ${one.name.slice(0, 40)}`, () => {
    assert.equal(Buffer.byteLength(one.name), one.name_bytes);
    assert.equal(encode(one.name), one.callback_value);
    assert.equal(new URLSearchParams(`name=${one.callback_value}`).get('name'), one.name);
    const [, plain, extended] = /^attachment; filename="([ !#-$&-[\]-~]*)"; filename\*=UTF-8''([\w.~%-]*)$/.exec(one.attachment);
    assert.equal(decodeURIComponent(extended), one.name);
    assert.equal([...plain].length, [...one.name].length);
  });
}
