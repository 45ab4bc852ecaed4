import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANSWER_V1, encodePolicy } from '../fakes/permission_answers.js';
import { RequestDesk } from '../fakes/scripted_request.js';
import { Network } from '../src/network.js';
import { UploadError } from '../src/upload_error.js';
import { UploadPathError } from '../src/upload_path.js';
import { Uploader } from '../src/uploader.js';

/**
 * @param {Partial<import('../src/uploader.js').UploaderOptions> & { answer?: object, isStoreThere?: boolean }} [options]
 */
function stage({ answer = {}, isStoreThere = true, ...options } = {}) {
  const desk = new RequestDesk();
  const clock = { now: 1_000_000, asked: 0 };
  const uploader = new Uploader({
    url: 'http://app.test/signature',
    now: () => clock.now,
    newId: () => 'id',
    createRequest: desk.create,
    fetch: async (_url, init) => {
      if (init?.mode === 'no-cors') return isStoreThere ? Response.error() : Promise.reject(new TypeError('refused'));
      clock.asked += 1;
      const body = { ...ANSWER_V1, expire: clock.now / 1000 + 300, ...answer };
      return new Response(JSON.stringify(body), { headers: { date: new Date(clock.now).toUTCString() } });
    },
    ...options,
  });
  return { desk, clock, uploader };
}

const photo = new File([new Uint8Array(1000)], 'photo.jpg', { type: 'image/jpeg' });

/** @param {Promise<unknown>} upload */
async function failure(upload) {
  const error = await upload.then(() => assert.fail('it should have failed'), (reason) => reason);
  assert.ok(error instanceof UploadError, String(error));
  return error;
}

test('goes through every phase and returns the key and the answer', async () => {
  const { desk, clock, uploader } = stage();
  /** @type {[string, number][]} */
  const seen = [];
  const uploading = uploader.upload(photo, '/user-dir', { observe: ({ phase, sent }) => seen.push([phase, sent]) });
  const request = await desk.sent();
  request.progress(200, 1200);
  clock.now += 1000;
  request.progress(700, 1200);
  request.sendAll();
  request.answer(200, '{"Status":"OK","n":1}', { 'X-Oss-Request-Id': 'R' });
  const result = await uploading;
  assert.deepEqual(seen, [['queued', 0], ['signing', 0], ['sending', 0], ['sending', 0], ['sending', 500], ['confirming', 1000]]);
  assert.equal(result.key, 'user-dir/id.jpg');
  assert.deepEqual(result.answer, { Status: 'OK', n: 1 });
  assert.equal(request.url, ANSWER_V1.host);
  assert.equal(request.form.get('key'), 'user-dir/id.jpg');
  assert.equal(result.conversation.answer?.headers[0][0], 'x-oss-request-id');
  assert.deepEqual(result.conversation.form?.fields[0], ['key', 'user-dir/id.jpg']);
});

test('says how fast it goes and how long it will take', async () => {
  const { desk, clock, uploader } = stage();
  /** @type {any} */
  let last;
  const uploading = uploader.upload(photo, 'd', { observe: (progress) => (last = progress) });
  const request = await desk.sent();
  clock.now += 2000;
  request.progress(500, 1000);
  assert.equal(last.bytesPerSecond, 250);
  assert.equal(last.secondsLeft, 2);
  request.answer(200, '{}');
  await uploading;
});

test('a second upload uses the permission of the first', async () => {
  const { desk, clock, uploader } = stage();
  for (const index of [0, 1]) {
    const uploading = uploader.upload(photo, 'user-dir/');
    (await desk.sent(index)).answer(200, '{}');
    assert.equal((await uploading).conversation.signatureCached, index === 1);
  }
  assert.equal(clock.asked, 1);
});

test('an abort in mid-body is an AbortError at once and stops the request', async () => {
  const { desk, uploader } = stage();
  const controller = new AbortController();
  const uploading = uploader.upload(photo, 'd', { signal: controller.signal });
  const request = await desk.sent();
  request.progress(500, 1200);
  controller.abort('no longer wanted');
  await assert.rejects(uploading, { name: 'AbortError', cause: 'no longer wanted' });
  assert.equal(request.aborted, true);
});

test('an abort while waiting or before the start sends nothing and frees its place', async () => {
  const { desk, uploader } = stage({ concurrency: 1 });
  await assert.rejects(uploader.upload(photo, 'd', { signal: AbortSignal.abort() }), { name: 'AbortError' });
  const first = uploader.upload(photo, 'd');
  const controller = new AbortController();
  const second = uploader.upload(photo, 'd', { signal: controller.signal });
  const third = uploader.upload(photo, 'd');
  controller.abort();
  await assert.rejects(second, { name: 'AbortError' });
  (await desk.sent(0)).answer(200, '{}');
  await first;
  (await desk.sent(1)).answer(200, '{}');
  await third;
  assert.equal(desk.requests.length, 2);
});

test('no more than the allowed number run at once', async () => {
  const { desk, uploader } = stage({ concurrency: 2 });
  const uploads = Array.from({ length: 5 }, () => uploader.upload(photo, 'd'));
  await desk.sent(1);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(desk.requests.length, 2);
  for (let index = 0; index < 5; index += 1) (await desk.sent(index)).answer(200, '{}');
  await Promise.all(uploads);
});

test('a connection lost after everything was sent leaves the outcome unknown', async () => {
  const { desk, uploader } = stage();
  const uploading = uploader.upload(photo, 'user-dir/');
  const request = await desk.sent();
  request.progress(1200, 1200);
  request.sendAll();
  request.breakConnection();
  const error = await failure(uploading);
  assert.equal(error.outcome, 'unknown');
  assert.equal(error.stored, null);
  assert.equal(error.key, 'user-dir/id.jpg');
});

test('a connection lost on the way stored nothing', async () => {
  const { desk, uploader } = stage();
  const uploading = uploader.upload(photo, 'user-dir/');
  const request = await desk.sent();
  request.progress(600, 1200);
  request.breakConnection();
  const error = await failure(uploading);
  assert.equal(error.code, 'ConnectionLost');
  assert.equal(error.stored, false);
});

test('a store that is not there is told apart from a connection that broke', async () => {
  const { desk, uploader } = stage();
  const uploading = uploader.upload(photo, 'user-dir/');
  (await desk.sent()).breakConnection();
  assert.equal((await failure(uploading)).code, 'StoreUnreachable');
});

test('a file that can no longer be read is named, before anything is sent', async () => {
  const { desk, uploader } = stage();
  const gone = new File(['x'], 'gone.txt');
  gone.slice = () => /** @type {any} */ ({ arrayBuffer: () => Promise.reject(new DOMException('gone', 'NotReadableError')) });
  const emptyAndGone = new File([], 'gone.txt');
  emptyAndGone.arrayBuffer = () => Promise.reject(new DOMException('gone', 'NotFoundError'));
  for (const file of [gone, emptyAndGone]) {
    assert.equal((await failure(uploader.upload(file, 'd'))).code, 'FileUnreadable');
  }
  assert.equal(desk.requests.length, 0);
});

test('what the signed policy cannot permit is refused before it is sent', async () => {
  const policy = encodePolicy({
    expiration: '2030-01-01T00:00:00Z',
    conditions: [['content-length-range', 10, 100], ['in', '$content-type', ['image/png']]],
  });
  const { desk, uploader } = stage({ answer: { policy } });
  assert.equal((await failure(uploader.upload(photo, 'd'))).code, 'EntityTooLarge');
  assert.equal((await failure(uploader.upload(new File([], 'empty.png'), 'd'))).code, 'EntityTooSmall');
  const error = await failure(uploader.upload(new File([new Uint8Array(50)], 'a.gif', { type: 'image/gif' }), 'd'));
  assert.match(error.message, /Policy Condition failed: \["in"/);
  assert.equal(error.local, true);
  assert.equal(desk.requests.length, 0);
});

test('the check before sending can be left to the store', async () => {
  const policy = encodePolicy({ expiration: '2030-01-01T00:00:00Z', conditions: [['content-length-range', 0, 1]] });
  const { desk, uploader } = stage({ answer: { policy }, checkBeforeSending: false });
  const uploading = uploader.upload(photo, 'd');
  (await desk.sent()).answer(400, '<Error><Code>EntityTooLarge</Code></Error>');
  assert.equal((await failure(uploading)).local, false);
});

const EXPIRED = '<Error><Code>AccessDenied</Code><Message>Invalid according to Policy: Policy expired.</Message></Error>';

test('a signature that expired on the way is renewed once, and the form sent again with the new one', async () => {
  const { desk, clock, uploader } = stage();
  const uploading = uploader.upload(photo, 'user-dir/');
  (await desk.sent(0)).answer(403, EXPIRED);
  const second = await desk.sent(1);
  assert.equal(clock.asked, 2);
  second.answer(200, '{}');
  const { conversation } = await uploading;
  assert.deepEqual([conversation.attempts, conversation.signatureCached], [2, false]);
});

test('a fresh signature that is called expired too is refused: the clocks differ, and a third would not help', async () => {
  const { desk, clock, uploader } = stage();
  const uploading = uploader.upload(photo, 'user-dir/');
  for (const index of [0, 1]) (await desk.sent(index)).answer(403, EXPIRED);
  assert.equal((await failure(uploading)).code, 'AccessDenied');
  assert.deepEqual([desk.requests.length, clock.asked], [2, 2]);
});

test('a permission that the store refuses is not used again', async () => {
  const { desk, clock, uploader } = stage();
  const refused = uploader.upload(photo, 'd');
  (await desk.sent(0)).answer(403, '<Error><Code>InvalidAccessKeyId</Code><Message>no such key</Message></Error>');
  await failure(refused);
  const again = uploader.upload(photo, 'd');
  (await desk.sent(1)).answer(200, '{}');
  await again;
  assert.equal(clock.asked, 2);
});

/** A device whose network the test switches. */
class Device extends EventTarget {
  navigator = { onLine: true };
  /** @param {boolean} on */
  turn(on) {
    this.navigator.onLine = on;
    this.dispatchEvent(new Event(on ? 'online' : 'offline'));
  }
}

test('without a network it waits, and goes on by itself when the network is back', async () => {
  const device = new Device();
  const { desk, uploader } = stage({ network: new Network(device) });
  /** @type {string[]} */
  const phases = [];
  const uploading = uploader.upload(photo, 'user-dir/', {
    observe: ({ phase }) => phase !== phases.at(-1) && phases.push(phase),
  });
  const request = await desk.sent(0);
  request.progress(600, 1200);
  request.breakConnection();
  await new Promise((resolve) => setTimeout(resolve, 10));
  device.turn(false); // after the error that it explains
  for (let turn = 0; turn < 200 && phases.at(-1) !== 'offline'; turn += 1) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(desk.requests.length, 1);
  device.turn(true);
  (await desk.sent(1)).answer(200, '{}');
  assert.equal((await uploading).outcome, 'done');
  assert.deepEqual(phases.slice(0, 5), ['queued', 'signing', 'sending', 'offline', 'signing']);
});

test('a wait for the network ends with its abort', async () => {
  const device = new Device();
  const { desk, uploader } = stage({ network: new Network(device) });
  const controller = new AbortController();
  const uploading = uploader.upload(photo, 'd', {
    signal: controller.signal,
    observe: ({ phase }) => phase === 'offline' && controller.abort(),
  });
  device.navigator.onLine = false;
  (await desk.sent()).breakConnection();
  await assert.rejects(uploading, { name: 'AbortError' });
});

test('an abort while the reason is looked for is an abort', async () => {
  const controller = new AbortController();
  const { desk, uploader } = stage({
    origin: 'https://app.example',
    network: /** @type {any} */ ({ wasLost: async () => false, untilBack: async () => {} }),
    newId: () => 'id',
  });
  const uploading = uploader.upload(photo, 'd', { signal: controller.signal });
  (await desk.sent()).breakConnection();
  controller.abort();
  await assert.rejects(uploading, { name: 'AbortError' });
});

test('what was lost after the last byte is never sent again by itself', async () => {
  const device = new Device();
  const { desk, uploader } = stage({ network: new Network(device) });
  const uploading = uploader.upload(photo, 'd');
  const request = await desk.sent();
  request.sendAll();
  device.navigator.onLine = false;
  request.breakConnection();
  assert.equal((await failure(uploading)).outcome, 'unknown');
});

test('an answer that does not come has a time limit, and leaves the outcome unknown', async () => {
  const { desk, uploader } = stage({ answerTimeoutMs: 5 });
  const uploading = uploader.upload(photo, 'user-dir/');
  const request = await desk.sent();
  request.sendAll();
  const error = await failure(uploading);
  assert.deepEqual([error.outcome, error.code, request.aborted], ['unknown', 'NoAnswer', true]);
});

for (const [answers, code] of /** @type {[boolean, string][]} */ ([[true, 'OriginNotAllowed'], [false, 'StoreUnreachable']])) {
  test(`a request that never began names the origin to allow: ${code}`, async () => {
    const { desk, uploader } = stage({ origin: 'https://app.example', isStoreThere: answers });
    const uploading = uploader.upload(photo, 'user-dir/');
    (await desk.sent()).breakConnection();
    const error = await failure(uploading);
    assert.deepEqual([error.code, error.origin], [code, 'https://app.example']);
    assert.match(error.message, /CORS .*--allow-origin https:\/\/app\.example/);
  });
}

test('a path that names no folder is refused before anyone is asked', async () => {
  const { clock, uploader } = stage();
  await assert.rejects(uploader.upload(photo, '../up'), UploadPathError);
  assert.equal(clock.asked, 0);
});

test('a local name leaves the name to the store and takes the key from the answer', async () => {
  const { desk, uploader } = stage();
  const uploading = uploader.upload(photo, 'user-dir/', { name: 'local' });
  const request = await desk.sent();
  assert.equal(request.form.get('key'), 'user-dir/${filename}');
  assert.equal(request.form.get('x-oss-forbid-overwrite'), 'true');
  request.answer(200, '{"Status":"OK","key":"user-dir/photo.jpg"}');
  assert.equal((await uploading).key, 'user-dir/photo.jpg');
});
