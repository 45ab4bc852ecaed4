// The official Node SDK, ali-oss, unchanged but for its endpoint: put, get, list, delete, callback and forms, V1 and V4.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import OSS from 'ali-oss';
import { KEY_ID, KEY_SECRET, startApplication, startStore } from './running.js';

let store;
let application;
before(async () => {
  store = await startStore(['--domain', 'store.test']);
  application = await startApplication();
});
after(async () => {
  await application?.stop();
  await store?.stop();
});

for (const authorizationV4 of [false, true]) {
  describe(authorizationV4 ? 'V4' : 'V1', () => {
    let client;
    const bucket = `js-${randomUUID().slice(0, 12)}`;
    before(async () => {
      client = new OSS({
        accessKeyId: KEY_ID,
        accessKeySecret: KEY_SECRET,
        endpoint: store.url,
        region: 'oss-cn-hangzhou',
        authorizationV4,
      });
      await client.putBucket(bucket);
      client.useBucket(bucket);
    });

    test('puts, gets, heads and copies nothing by accident', async () => {
      const put = await client.put('目录/a b+c.txt', Buffer.from('hello world'), { meta: { owner: 'alice' }, mime: 'text/plain' });
      assert.equal(put.res.status, 200);
      assert.equal(put.res.headers['x-oss-hash-crc64ecma'], '5981764153023615706');
      const got = await client.get('目录/a b+c.txt');
      assert.equal(got.content.toString(), 'hello world');
      const head = await client.head('目录/a b+c.txt');
      assert.equal(head.meta.owner, 'alice');
      await assert.rejects(client.get('missing'), { code: 'NoSuchKey', status: 404 });
      await assert.rejects(client.head('missing'), { status: 404 });
    });

    test('lists in pages and with a delimiter', async () => {
      const keys = ['l/a/1', 'l/a/2', 'l/b', 'l/c & d', 'l/e?f#g%h', 'l/照片'];
      for (const key of keys) await client.put(key, Buffer.from(key));
      const found = [];
      let marker;
      do {
        const page = await client.list({ prefix: 'l/', 'max-keys': 2, ...(marker && { marker }) }, {});
        found.push(...page.objects.map((object) => object.name));
        marker = page.nextMarker;
      } while (marker);
      assert.deepEqual(found, keys);
      const second = await client.listV2({ prefix: 'l/', delimiter: '/', 'max-keys': 100 });
      assert.deepEqual(second.prefixes, ['l/a/']);
      assert.equal(second.objects.length, 4);
    });

    test('signs URLs', async () => {
      await client.put('u r+l.txt', Buffer.from('by url'));
      // It signs no URL for an IP endpoint, so this one has a name; the request is sent to the same socket.
      const named = new OSS({ accessKeyId: KEY_ID, accessKeySecret: KEY_SECRET, endpoint: 'http://store.test', region: 'oss-cn-hangzhou', bucket, authorizationV4 });
      const url = authorizationV4 ? await named.signatureUrlV4('GET', 60, undefined, 'u r+l.txt') : named.signatureUrl('u r+l.txt', { expires: 60 });
      assert.deepEqual(await getAt(store.url, new URL(url)), { status: 200, body: 'by url' });
    });

    test('calls back and relays the answer', async () => {
      const callback = { url: `${application.url}/done`, body: 'object=${object}&size=${size}&who=${x:who}', customValue: { who: 'bob' } };
      const put = await client.put('called.txt', Buffer.from('hello'), { callback });
      assert.deepEqual(put.data, { Status: 'OK', from: 'application' });
      assert.equal(application.received.at(-1).body, 'object=called.txt&size=5&who=bob');
    });

    test('deletes one and many, then the bucket', async () => {
      const listed = await client.list({ 'max-keys': 1000 }, {});
      const names = listed.objects.map((object) => object.name);
      assert.equal((await client.delete(names[0])).res.status, 204);
      const deleted = await client.deleteMulti(names.slice(1));
      assert.equal(deleted.deleted.length, names.length - 1);
      await client.deleteBucket(bucket);
      await assert.rejects(client.list({ 'max-keys': 1 }, {}), { code: 'NoSuchBucket' });
    });
  });
}

/** GETs `url` from the server at `origin`, whatever name the URL has. */
function getAt(origin, url) {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const asked = get({ hostname, port, path: url.pathname + url.search, headers: { host: url.host } }, async (answer) => {
      resolve({ status: answer.statusCode, body: await text(answer) });
    });
    asked.on('error', reject);
  });
}
