import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { FormRequest } from '../fakes/form_request.js';
import { ANSWER_V1, ANSWER_V4 } from '../fakes/permission_answers.js';
import { Uploader } from '../src/uploader.js';

/** @type {{ url: string, method: string, body: string }[]} */
const seen = [];
const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const url = request.url ?? '';
  seen.push({ url, method: request.method ?? '', body: Buffer.concat(chunks).toString('latin1') });
  const expire = String(Math.floor(Date.now() / 1000) + 30);
  if (url.startsWith('/v1')) return void response.end(JSON.stringify({ ...ANSWER_V1, expire, host: `${base}/store` }));
  if (url.startsWith('/v4')) return void response.end(JSON.stringify({ ...ANSWER_V4, host: `${base}/store` }));
  response.end('{"Status":"OK"}');
});
let base = '';

before(async () => {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  base = `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`;
});
after(() => server.close());

/** @param {string} path */
const uploaderTo = (path) =>
  new Uploader({
    url: base + path,
    createRequest: () => /** @type {XMLHttpRequest} */ (/** @type {unknown} */ (new FormRequest())),
  });

/** @param {string} body */
const partNames = (body) => [...body.matchAll(/; name="([^"]*)"/g)].map(([, name]) => name);

test('a real server receives the version 1 form in order, the file last and whole', async () => {
  seen.length = 0;
  const content = '--boundary\r\n\r\n--\u0000\u00ff';
  const file = new File([Buffer.from(content, 'latin1')], 'a b.txt', { type: 'text/plain' });
  const { key, outcome } = await uploaderTo('/v1').upload(file, 'user-dir/');
  assert.equal(outcome, 'done');
  assert.match(key, /^user-dir\/[0-9a-f-]{36}\.txt$/);
  assert.equal(seen[0].url, '/v1?path=user-dir%2F&fields=1');
  assert.deepEqual(partNames(seen[1].body), [
    'key', 'policy', 'OSSAccessKeyId', 'success_action_status', 'callback', 'signature', 'file',
  ]);
  assert.ok(seen[1].body.includes(`filename="a b.txt"\r\nContent-Type: text/plain\r\n\r\n${content}\r\n`));
});

test('a real server receives the version 4 form in order', async () => {
  seen.length = 0;
  await uploaderTo('/v4').upload(new File(['x'], 'x'), 'u/');
  assert.equal(partNames(seen[1].body).at(-1), 'file');
  assert.ok(partNames(seen[1].body).includes('x-oss-credential'));
});

test('an application that is not there is said to be so', async () => {
  const uploader = new Uploader({ url: 'http://127.0.0.1:9/signature' });
  await assert.rejects(uploader.upload(new File(['x'], 'x'), 'u/'), { code: 'SignatureUnavailable', status: 0 });
});
