// Instances of the built binary, their handlers and their failures.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { InstanceError, RefusedError, answer, bucket, callbacks, decline, instance, startInstance } from '../src/testing.js';
import { send } from '../src/loopback.js';

process.env['COUNTERSIGN_BINARY'] =
  process.env['COUNTERSIGN_BIN'] ?? fileURLToPath(new URL('../../../target/release/countersign', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'instance-'));
after(() => rmSync(folder, { recursive: true }));

/** @param {string} name @param {string} commands */
function script(name, commands) {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${commands}\n`);
  chmodSync(path, 0o755);
  return path;
}

test('there is one instance for the process, and one more for each that is asked for', async () => {
  const [first, second, own] = await Promise.all([instance(), instance(), startInstance({ buckets: ['mine', 'yours'] })]);
  assert.equal(first.env['COUNTERSIGN_STORE_URL'], second.env['COUNTERSIGN_STORE_URL']);
  assert.notEqual(first.env['COUNTERSIGN_STORE_URL'], own.env['COUNTERSIGN_STORE_URL']);
  assert.equal(own.env['OSS_BUCKET'], 'mine');
  await own.stop();
  assert.equal(existsSync(String(own.env['COUNTERSIGN_DATA'])), false);
  await assert.rejects(own.bucket(), (error) => error instanceof InstanceError && /was stopped/.test(error.message));
});

test('a bucket is the test’s own: the same name in two of them is two objects', async () => {
  const [left, right] = await Promise.all([bucket(), bucket()]);
  await Promise.all([left.upload('照片 1.txt', 'left'), right.upload('照片 1.txt', 'right')]);
  const read = (/** @type {typeof left} */ place, key = '照片 1.txt') => place.read(key).then((content) => content?.toString());
  const prefix = (await left.upload('again.txt', '')).key.replace('again.txt', '');
  assert.deepEqual(await Promise.all([read(left, `${prefix}照片 1.txt`), read(right, `${prefix}照片 1.txt`)]), ['left', 'right']);
  assert.equal(await left.read('nothing'), undefined);
});

test('the handler is told what was uploaded, and the uploader gets its words', async () => {
  const application = await callbacks(({ key, size, values }) => ({ Status: 'OK', key, size, name: values['name'] }));
  const photos = await bucket({ callbacks: application });
  const { status, json, key } = await photos.upload('a.txt', 'hello', { path: 'user/42/', type: 'text/plain' });
  assert.deepEqual([status, json], [200, { Status: 'OK', key: 'user/42/a.txt', size: 5, name: 'a.txt' }]);
  const [record] = application.records;
  assert.equal(application.records.length, 1);
  assert.deepEqual([record?.key, record?.size, record?.type, record?.bucket], [key, 5, 'text/plain', photos.name]);
});

test('a no with status 200 is read by the uploader, any other status is 203 and the file stays', async () => {
  const application = await callbacks(({ size }) => (size > 3 ? decline('too large') : answer(409, { message: 'unread' })));
  const photos = await bucket({ callbacks: application });
  const declined = await photos.upload('large', '12345');
  assert.deepEqual([declined.status, declined.json.message], [200, 'too large']);
  const failed = await photos.upload('small', '1');
  assert.equal(failed.status, 203);
  assert.match(failed.text, /CallbackFailed[^]*Error status : 409/);
  assert.equal((await photos.read(failed.key))?.toString(), '1');
  assert.deepEqual(application.records.map((record) => record.answer.status), [200, 409]);
});

test('an assertion that fails in the handler fails the upload, with its own message', async () => {
  const application = await callbacks(({ size }) => assert.equal(size, 1, 'one byte only'));
  const photos = await bucket({ callbacks: application });
  await assert.rejects(photos.upload('a', '12'), /one byte only/);
  await photos.upload('b', '1');
  assert.equal(application.records.length, 2);
});

test('a request that the instance did not sign is refused and is no record', async () => {
  const application = await callbacks();
  const headers = { authorization: 'AAAA', 'x-oss-pub-key-url': '', 'content-type': 'application/x-www-form-urlencoded' };
  const forged = await send(application.url, { method: 'POST', headers, body: Buffer.from('filename=a&size=1') });
  assert.equal(forged.status, 400);
  assert.deepEqual([application.records.length, application.refused.length], [0, 1]);
  await application.close();
  await assert.rejects(send(application.url), { code: 'ECONNREFUSED' });
});

test('what the store refuses is thrown with its code, and what nobody signs with the application’s words', async () => {
  const photos = await bucket();
  await assert.rejects(photos.upload('a', 'b', { fields: { 'x-oss-object-acl': 'public-read' } }), (error) => {
    assert.ok(error instanceof RefusedError);
    assert.deepEqual([error.status, error.code], [403, 'AccessDenied']);
    return true;
  });
  await assert.rejects(photos.sign({ path: '../up/' }), /signs nothing \(400\).*InvalidPath/);
});

test('an application under test gets the instance and nothing of the real OSS', async () => {
  const rust = readFileSync(new URL('../../../crates/cli/src/environment.rs', import.meta.url), 'utf8');
  const list = /REMOVED: &\[&str\] = &\[([^\]]*)\]/.exec(rust)?.[1] ?? '';
  const removed = [...list.matchAll(/"([A-Z_]+)"/g)].map(([, name]) => String(name));
  assert.ok(removed.includes('OSS_SESSION_TOKEN') && removed.length > 20);
  const own = (await instance()).environment({ HOME: '/home', no_proxy: 'example.com', ...Object.fromEntries(removed.map((name) => [name, 'junk'])) });
  assert.ok(!Object.values(own).includes('junk'));
  assert.deepEqual([own['HOME'], own['OSS_ENDPOINT']], ['/home', own['COUNTERSIGN_STORE_URL']]);
  assert.equal(own['no_proxy'], 'example.com,127.0.0.1,localhost,::1');
});

test('a start that fails shows what the binary said, and so does one that says nothing sensible', async () => {
  const broken = startInstance({ binary: script('broken', 'echo "no room on the disk" >&2; exit 3') });
  await assert.rejects(broken, /did not start: it ended with 3\nIt said:\nno room on the disk/);
  const odd = startInstance({ binary: script('odd', 'echo "{}"; exec cat') });
  await assert.rejects(odd, /names no store/);
  await assert.rejects(startInstance({ binary: join(folder, 'none') }), /did not start: .*ENOENT/);
  await assert.rejects(startInstance({ seed: join(folder, 'no-seed') }), /no-seed/);
});

test('an instance that died is told as dead, with what it said', async () => {
  const own = await startInstance();
  process.kill(own.pid, 'SIGKILL');
  const untilItFails = async () => {
    for (;;) await own.bucket();
  };
  await assert.rejects(untilItFails(), (error) => error instanceof InstanceError && /ended with SIGKILL/.test(error.message));
});

test('variables meant for another Countersign do not reach the instance', async () => {
  process.env['COUNTERSIGN_DATA'] = folder;
  process.env['COUNTERSIGN_BUCKET'] = 'elsewhere';
  const own = await startInstance();
  delete process.env['COUNTERSIGN_DATA'];
  delete process.env['COUNTERSIGN_BUCKET'];
  assert.notEqual(own.env['COUNTERSIGN_DATA'], folder);
  assert.equal(own.env['OSS_BUCKET'], 'demo');
  await own.stop();
});

test('a test process that is killed leaves no instance and no folder', async () => {
  const module = new URL('../src/testing.js', import.meta.url).href;
  const program = `const { env } = await (await import('${module}')).instance(); console.log(JSON.stringify(env)); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const line = await new Promise((resolve) => child.stdout.setEncoding('utf8').once('data', resolve));
  const { COUNTERSIGN_DATA: data, COUNTERSIGN_STORE_URL: store } = JSON.parse(line);
  assert.ok(existsSync(data));
  child.kill('SIGKILL');
  await gone(async () => !existsSync(data) && (await send(store).then(() => false, () => true)));
});

test('a test process that forgets everything ends by itself', async () => {
  const module = new URL('../src/testing.js', import.meta.url).href;
  const program = `const t = await import('${module}'); const c = await t.callbacks(); await (await t.bucket({ callbacks: c })).upload('a', 'b');`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'inherit', timeout: 20_000 });
  assert.equal(await new Promise((resolve) => child.once('exit', resolve)), 0);
});

/** @param {() => Promise<boolean>} isGone */
async function gone(isGone) {
  for (let tries = 0; tries < 500; tries += 1) {
    if (await isGone()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail('it is still there after 10 s');
}
