import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';
import { FormRequest } from '../../../uploader/fakes/form_request.js';
import { UploadService, isStoredButNotConfirmed } from '../build/upload_service.js';

const seen = [];
let answer = { status: 200, body: '{"Status":"OK"}' };
let base = '';
const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  seen.push({ url: request.url, body: Buffer.concat(chunks).toString('latin1') });
  if (request.url.startsWith('/app/signature')) {
    const expire = Math.floor(Date.now() / 1000) + 300;
    const policy = Buffer.from('{"expiration":"2126-01-01T00:00:00Z","conditions":[]}').toString('base64');
    const signed = { accessid: 'ak', host: `${base}/store`, policy, signature: 's', expire, callback: 'e30=', dir: 'user-dir/' };
    return void response.end(JSON.stringify(signed));
  }
  response.writeHead(answer.status).end(answer.body);
});

before(async () => {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${server.address().port}`;
});
after(() => server.close());
beforeEach(() => {
  seen.length = 0;
  answer = { status: 200, body: '{"Status":"OK"}' };
});

const service = () => new UploadService(`${base}/app`, { createRequest: () => new FormRequest() });
const photo = new File(['bytes'], 'photo.jpg', { type: 'image/jpeg' });

test('returns the key after the application has confirmed, and asks for one signature per path', async () => {
  const uploads = service();
  const first = await uploads.upload(photo, '/user-dir');
  const second = await uploads.upload(new File(['x'], 'README'), 'user-dir/');
  assert.match(first, /^user-dir\/[0-9a-f-]{36}\.jpg$/);
  assert.match(second, /^user-dir\/[0-9a-f-]{36}$/, 'no extension, no dot');
  assert.deepEqual(seen.map(({ url }) => url), ['/app/signature?path=user-dir%2F&fields=1', '/store', '/store']);
  assert.ok(seen[1].body.includes('photo.jpg') && seen[1].body.includes(first));
});

test('throws the message of an application that declines', async () => {
  answer = { status: 200, body: '{"Status":"Full","message":"your album is full"}' };
  await assert.rejects(service().upload(photo, 'user-dir'), { message: 'your album is full' });
});

test('tells stored but not confirmed from refused', async () => {
  answer = { status: 203, body: '<Error><Code>CallbackFailed</Code><Message>Error status : 500.</Message></Error>' };
  await assert.rejects(service().upload(photo, 'user-dir'), (error) => isStoredButNotConfirmed(error));
  answer = { status: 403, body: '<Error><Code>AccessDenied</Code><Message>no</Message></Error>' };
  await assert.rejects(service().upload(photo, 'user-dir'), (error) => !isStoredButNotConfirmed(error));
});

test('stops when it is told to', async () => {
  const stop = new AbortController();
  stop.abort();
  await assert.rejects(service().upload(photo, 'user-dir', undefined, stop.signal), { name: 'AbortError' });
});
