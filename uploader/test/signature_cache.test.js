import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANSWER_V1 } from '../fakes/permission_answers.js';
import { SignatureCache } from '../src/signature_cache.js';
import { UploadError } from '../src/upload_error.js';

const SERVER_NOW = Date.UTC(2026, 10, 22, 12, 0, 0);

/**
 * A signature endpoint on a clock of its own, and a cache on another.
 *
 * @param {{ lifetimeSeconds?: number, skewMs?: number, body?: (n: number) => string, status?: (n: number) => number }} [options]
 */
function endpoint({ lifetimeSeconds = 30, skewMs = 0, body, status = () => 200 } = {}) {
  const world = { asked: /** @type {string[]} */ ([]), now: SERVER_NOW + skewMs, headers: /** @type {unknown[]} */ ([]) };
  const cache = new SignatureCache({
    url: 'http://app.test/signature',
    headers: () => ({ 'x-countersign-token': 't' }),
    now: () => world.now,
    fetch: async (url, init) => {
      world.asked.push(String(url));
      world.headers.push(init?.headers);
      await new Promise((resolve) => setTimeout(resolve, 2));
      if (init?.signal?.aborted) throw init.signal.reason;
      const serverNow = world.now - skewMs;
      const answer = { ...ANSWER_V1, expire: Math.floor(serverNow / 1000) + lifetimeSeconds };
      return new Response(body?.(world.asked.length) ?? JSON.stringify(answer), {
        status: status(world.asked.length),
        headers: { 'content-type': 'text/html', date: new Date(serverNow).toUTCString() },
      });
    },
  });
  return { world, cache };
}

test('asks once per path while the permission holds', async () => {
  const { world, cache } = endpoint();
  assert.equal((await cache.get('user-dir/')).cached, false);
  world.now += 26_000;
  assert.equal((await cache.get('user-dir/')).cached, true);
  assert.deepEqual(world.asked, ['http://app.test/signature?path=user-dir%2F&fields=1']);
  assert.deepEqual(world.headers, [{ Accept: 'application/json', 'x-countersign-token': 't' }]);
});

test('asks anew shortly before the expiry', async () => {
  const { world, cache } = endpoint();
  await cache.get('user-dir/');
  world.now += 27_000;
  assert.equal((await cache.get('user-dir/')).cached, false);
  assert.equal(world.asked.length, 2);
});

for (const skewMs of [-3_600_000, 3_600_000]) {
  test(`measures on the server's clock when the local one is off by ${skewMs / 60_000} minutes`, async () => {
    const { world, cache } = endpoint({ skewMs });
    await cache.get('user-dir/');
    world.now += 26_000;
    assert.equal((await cache.get('user-dir/')).cached, true);
    world.now += 1_000;
    assert.equal((await cache.get('user-dir/')).cached, false);
  });
}

test('concurrent callers share one request', async () => {
  const { world, cache } = endpoint();
  const signatures = await Promise.all(Array.from({ length: 20 }, () => cache.get('user-dir/')));
  assert.equal(world.asked.length, 1);
  assert.equal(new Set(signatures.map(({ permission }) => permission)).size, 1);
});

test('after the expiry concurrent callers fetch exactly one', async () => {
  const { world, cache } = endpoint();
  await cache.get('user-dir/');
  world.now += 60_000;
  await Promise.all(Array.from({ length: 5 }, () => cache.get('user-dir/')));
  assert.equal(world.asked.length, 2);
});

test('each path and each set of parameters has its own permission', async () => {
  const { world, cache } = endpoint();
  await Promise.all([cache.get('a/'), cache.get('b/'), cache.get('a/', { version: '4' }), cache.get(undefined)]);
  assert.equal(new Set(world.asked).size, 4);
  assert.ok(world.asked.includes('http://app.test/signature?fields=1'));
});

test('a failure is not kept', async () => {
  const { world, cache } = endpoint({ status: (n) => (n === 1 ? 500 : 200) });
  await assert.rejects(cache.get('user-dir/'), (error) => {
    assert.ok(error instanceof UploadError);
    assert.equal(error.code, 'SignatureUnavailable');
    assert.equal(error.status, 500);
    assert.equal(error.stored, false);
    return true;
  });
  assert.equal((await cache.get('user-dir/')).cached, false);
  assert.equal(world.asked.length, 2);
});

test('an answer that is no permission is a failure and not kept', async () => {
  const { cache } = endpoint({ body: (n) => (n === 1 ? '{"accessid":"x"}' : JSON.stringify({ ...ANSWER_V1 })) });
  await assert.rejects(cache.get('user-dir/'), /the answer has no policy/);
  await cache.get('user-dir/');
});

test("a refusal carries the application's own words", async () => {
  const { cache } = endpoint({ status: () => 400, body: () => '{"message":"this folder is not yours"}' });
  await assert.rejects(cache.get('user-dir/'), /this folder is not yours/);
});

test('a permission that came already expired serves its callers and is not kept', async () => {
  const { world, cache } = endpoint({ lifetimeSeconds: 2 });
  await cache.get('user-dir/');
  await cache.get('user-dir/');
  assert.equal(world.asked.length, 2);
});

test('one caller that gives up does not take the permission from the others', async () => {
  const { cache } = endpoint();
  const leaving = new AbortController();
  const left = cache.get('user-dir/', {}, leaving.signal);
  const stayed = cache.get('user-dir/');
  leaving.abort();
  await assert.rejects(left, { name: 'AbortError' });
  assert.equal((await stayed).permission.version, 'V1');
});

test('when every caller has given up the next one asks anew', async () => {
  const { world, cache } = endpoint();
  const leaving = new AbortController();
  const left = cache.get('user-dir/', {}, leaving.signal);
  leaving.abort();
  await assert.rejects(left, { name: 'AbortError' });
  await cache.get('user-dir/');
  assert.equal(world.asked.length, 2);
});

test('a permission that the store refused is forgotten', async () => {
  const { world, cache } = endpoint();
  const { exchange } = await cache.get('user-dir/');
  cache.forget(exchange);
  await cache.get('user-dir/');
  assert.equal(world.asked.length, 2);
});
