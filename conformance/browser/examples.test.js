// The examples against the real store: the form without script in a browser that runs none, the page of
// packaging/compose.yaml, and the callback server in one file.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BINARY, KEY_ID, KEY_SECRET, freePort, startStore } from '../node/running.js';
import { filesIn, launchChromium } from './browser.js';

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
const EXAMPLES = join(REPOSITORY, 'examples');
const KEY_PATH = '/_countersign/callback_pub_key_v1.pem';

let store;
let folder;
let files;
before(async () => {
  store = await startStore();
  folder = await mkdtemp(join(tmpdir(), 'countersign-examples-'));
  files = await filesIn([['照片 1.txt', 'hello']]);
  await createBucket('demo');
  const key = await (await fetch(store.url + KEY_PATH)).text();
  await writeFile(join(folder, 'store_key.pem'), key);
});
after(async () => {
  await store?.stop();
  await files?.remove();
  await rm(folder, { recursive: true, force: true });
});

test('the form without script: the browser shows what the application answered', async () => {
  const listen = `127.0.0.1:${await freePort()}`;
  const example = run(join(dirname(BINARY), 'countersign-example-axum-app'), [], {
    COUNTERSIGN_ACCESS_KEY_ID: KEY_ID,
    COUNTERSIGN_ACCESS_KEY_SECRET: KEY_SECRET,
    BUCKET: 'demo',
    UPLOAD_HOST: `${store.url}/demo/`,
    CALLBACK_URL: `http://${listen}/callback`,
    STORE_KEY_URL: store.url + KEY_PATH,
    STORE_KEY_FILE: join(folder, 'store_key.pem'),
    LEDGER: join(folder, 'uploads.sqlite'),
    LISTEN: listen,
  });
  const browser = await launchChromium();
  try {
    await example.said('open http');
    const page = await browser.newPage();
    await page.setJavaScriptEnabled(false);
    await page.goto(`http://${listen}/plain-form`);
    await (await page.$('input[type=file]')).uploadFile(files.paths[0]);
    await Promise.all([page.waitForNavigation(), page.click('button')]);
    const shown = await page.content();
    assert.match(shown, /"Status":\s*"OK"/);
    const { uploads } = await (await fetch(`http://${listen}/uploads`)).json();
    assert.deepEqual(uploads.map((upload) => [upload.key, Number(upload.size)]), [['user-dir/照片 1.txt', 5]]);
  } finally {
    await browser.close();
    await example.stop();
  }
});

test('the page of compose.yaml: what the application takes, what it declines, and a token it does not know', async () => {
  const listen = `127.0.0.1:${await freePort()}`;
  const ownStore = await startStore(['--bucket', 'photos', '--allow-origin', `http://${listen}`]);
  const site = await compositionIn(folder);
  await writeFile(join(folder, 'own_key.pem'), await (await fetch(ownStore.url + KEY_PATH)).text());
  const example = run('php', ['-d', `session.save_path=${folder}`, '-S', listen, '-t', site, join(folder, 'front.php')], {
    OSS_ENDPOINT: ownStore.url,
    OSS_REGION: 'cn-hangzhou',
    OSS_BUCKET: 'photos',
    OSS_ACCESS_KEY_ID: KEY_ID,
    OSS_ACCESS_KEY_SECRET: KEY_SECRET,
    CALLBACK_URL: `http://${listen}/callback`,
    COUNTERSIGN_CALLBACK_KEY_URL: ownStore.url + KEY_PATH,
    COUNTERSIGN_CALLBACK_KEY_FILE: join(folder, 'own_key.pem'),
    APP_TOKENS: 'open-sesame=42',
    APP_UPLOADS: folder,
  });
  const pictures = await filesIn([['a b.png', 'hello'], ['note.txt', 'hello']]);
  const browser = await launchChromium();
  try {
    await example.said('started');
    const page = await browser.newPage();
    await page.goto(`http://${listen}/`);
    const logIn = async (token) => {
      await page.$eval('input[name=token]', (input, value) => (input.value = value), token);
      await page.click('button');
    };
    await logIn('wrong');
    await page.waitForSelector('li[data-outcome=refused]');
    assert.equal(await page.$eval('#files', (input) => input.disabled), true);
    await logIn('open-sesame');
    await page.waitForSelector('#files:enabled');
    await (await page.$('#files')).uploadFile(...pictures.paths);
    await page.waitForSelector('li[data-outcome=done]');
    await page.waitForSelector('li[data-outcome=declined]');
    const lines = await page.$$eval('li', (items) => items.map((item) => item.textContent));
    assert.deepEqual(lines.slice(1), [
      'a b.png: taken as user/42/a b.png',
      'note.txt: Only pictures are kept here.',
    ]);
  } finally {
    await browser.close();
    await example.stop();
    await ownStore.stop();
    await pictures.remove();
  }
});

/** Puts the files where compose.yaml mounts them, relative to each other; gives the folder that is served. */
async function compositionIn(place) {
  const site = join(place, 'site');
  await mkdir(site);
  await cp(join(REPOSITORY, 'packaging/compose/index.html'), join(site, 'index.html'));
  await cp(join(REPOSITORY, 'uploader/src'), join(site, 'uploader'), { recursive: true });
  await cp(join(REPOSITORY, 'packaging/compose/front.php'), join(place, 'front.php'));
  await cp(join(EXAMPLES, 'php/server.php'), join(place, 'server.php'));
  return site;
}

test('the callback server in one file: one command, and the uploader hears its answer', async () => {
  const port = await freePort();
  const example = run('python3', [join(EXAMPLES, 'callback-server/callback_server.py'), String(port), '--key', store.url + KEY_PATH]);
  try {
    await example.said('http');
    const answer = await post('by-python.txt', `http://127.0.0.1:${port}/done?a=1`);
    assert.equal(answer.status, 200);
    assert.equal((await answer.json()).Status, 'OK');
    await example.said('by-python.txt');
  } finally {
    await example.stop();
  }
});

/** A form signed V1 with a callback to `url`, sent as any HTTP client would. */
function post(key, url) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64');
  const expiration = new Date(Date.now() + 3_600_000).toISOString();
  const policy = encode({ expiration, conditions: [['content-length-range', 0, 100]] });
  const form = new FormData();
  form.set('key', key);
  form.set('policy', policy);
  form.set('OSSAccessKeyId', KEY_ID);
  form.set('callback', encode({ callbackUrl: url, callbackBody: 'filename=${object}&size=${size}' }));
  form.set('signature', createHmac('sha1', KEY_SECRET).update(policy).digest('base64'));
  form.set('file', new Blob(['hello']), 'a.txt');
  return fetch(`${store.url}/demo/`, { method: 'POST', body: form });
}

async function createBucket(bucket) {
  const date = new Date().toUTCString();
  const signature = createHmac('sha1', KEY_SECRET).update(`PUT\n\n\n${date}\nx-oss-date:${date}\n/${bucket}/`).digest('base64');
  const headers = { 'x-oss-date': date, authorization: `OSS ${KEY_ID}:${signature}` };
  const answer = await fetch(`${store.url}/${bucket}/`, { method: 'PUT', headers });
  assert.equal(answer.status, 200, await answer.text());
}

/** A program of the examples, in the folder with the store's key; `said` waits for a word of its output. */
function run(command, args, environment = {}) {
  const child = spawn(command, args, { cwd: folder, env: { ...process.env, PYTHONUNBUFFERED: '1', ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (printed += chunk));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  return {
    said: async (word) => {
      const deadline = Date.now() + 20_000;
      while (!printed.includes(word)) {
        assert.ok(Date.now() < deadline && child.exitCode === null, `${command} did not say ${word}:\n${printed}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    stop: async () => {
      child.kill();
      await ended;
    },
  };
}
