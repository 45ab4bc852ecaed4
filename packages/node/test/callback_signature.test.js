// What OSS really sent, and what nobody but its key's owner could have sent.
import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { whyForged } from '../src/callback_signature.js';

const vectors = JSON.parse(readFileSync(new URL('../../../vectors/callback_signature.json', import.meta.url), 'utf8'));
const KEY_URL = 'https://gosspublic.alicdn.com/callback_pub_key_v1.pem';
const pinned = { key: createPublicKey(vectors.public_key_pem), url: KEY_URL };

/** @param {{ path_and_query: string, body: string, authorization: string }} request */
function judged({ path_and_query: url, body, authorization }, keyUrl = KEY_URL) {
  const headers = { authorization, 'x-oss-pub-key-url': Buffer.from(keyUrl).toString('base64') };
  return whyForged({ url, headers, body: Buffer.from(body) }, pinned);
}

test('takes every callback that OSS is known to have sent', () => {
  assert.ok(vectors.cases.length >= 7);
  for (const callback of vectors.cases) assert.equal(judged(callback), undefined, callback.name);
});

test('refuses a callback whose path, query, body or signature was changed', () => {
  for (const callback of vectors.cases) {
    const changes = [
      { path_and_query: `/other${callback.path_and_query}` },
      { path_and_query: `${callback.path_and_query}&x=1` },
      { body: `${callback.body} ` },
      { authorization: `A${callback.authorization.slice(1)}` },
      { authorization: '' },
    ];
    for (const change of changes) assert.match(String(judged({ ...callback, ...change })), /signature does not fit/);
  }
  assert.match(String(judged({ ...vectors.cases[0], path_and_query: '/%ff' })), /not percent-encoded/);
});

test('refuses a key of the sender’s choice, however it is spelled', () => {
  for (const url of ['', 'http://127.0.0.1/key.pem', `${KEY_URL}?`, `http${KEY_URL.slice(5)}`]) {
    assert.match(String(judged(vectors.cases[0], url)), /x-oss-pub-key-url names/);
  }
});
