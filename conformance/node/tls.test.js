// TLS on every listener: the page's and the store's in `serve`, and each half alone, with a certificate made here.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { text } from 'node:stream/consumers';
import { KEY_ID, KEY_SECRET, freePort, start } from './running.js';

let folder;
let authority;
let flags;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-tls-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  execFileSync('openssl', [
    'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-keyout', key, '-out', cert,
    '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:FALSE',
  ], { stdio: 'ignore' });
  authority = await readFile(cert);
  flags = ['--tls-cert', cert, '--tls-key', key];
});
after(() => rm(folder, { recursive: true, force: true }));

test('an upload through serve is signed, sent, called back and answered over https', async () => {
  const [store, app] = [await freePort(), await freePort()];
  const args = ['serve', '--data', join(folder, 'serve'), '--store', `127.0.0.1:${store}`, '--app', `127.0.0.1:${app}`, ...flags];
  const running = await start(args, `https://127.0.0.1:${app}/healthz`, {}, isReady);
  try {
    const signed = JSON.parse((await ask(`https://127.0.0.1:${app}/signature`)).body);
    assert.equal(signed.host, `https://127.0.0.1:${store}/demo`);
    const fields = {
      key: `${signed.dir}a.txt`, policy: signed.policy, OSSAccessKeyId: signed.accessid, success_action_status: '200',
      callback: signed.callback, signature: signed.signature,
    };
    const parts = Object.entries(fields).map(([name, value]) => `--B\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`);
    const body = `${parts.join('')}--B\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhello\r\n--B--\r\n`;
    const answer = await ask(signed.host, { method: 'POST', headers: { 'content-type': 'multipart/form-data; boundary=B' }, body });
    assert.equal(answer.status, 200, answer.body);
    assert.equal(JSON.parse(answer.body).Status, 'OK');
    assert.equal((await ask(`https://127.0.0.1:${app}/`)).status, 200);
  } finally {
    await running.stop();
  }
});

test('a store and an application server alone speak https', async () => {
  const port = await freePort();
  const args = ['store', '--data', join(folder, 'store'), '--listen', `127.0.0.1:${port}`, ...flags];
  const store = await start(args, `https://127.0.0.1:${port}/_countersign/healthz`, {}, isReady);
  try {
    const date = new Date().toUTCString();
    const signature = createHmac('sha1', KEY_SECRET).update(`GET\n\n\n${date}\nx-oss-date:${date}\n/`).digest('base64');
    const headers = { 'x-oss-date': date, authorization: `OSS ${KEY_ID}:${signature}` };
    assert.equal((await ask(`https://127.0.0.1:${port}/`, { headers })).status, 200);
  } finally {
    await store.stop();
  }
  const app = await freePort();
  const alone = [
    'app', '--data', join(folder, 'app'), '--listen', `127.0.0.1:${app}`, '--host', 'https://b.oss-cn-hangzhou.aliyuncs.com',
    '--callback-url', 'https://app.example/callback', ...flags,
  ];
  const application = await start(alone, `https://127.0.0.1:${app}/healthz`, {}, isReady);
  try {
    const signed = JSON.parse((await ask(`https://127.0.0.1:${app}/signature`)).body);
    assert.equal(signed.host, 'https://b.oss-cn-hangzhou.aliyuncs.com');
  } finally {
    await application.stop();
  }
});

const isReady = (url) => ask(url).then((answer) => answer.status === 200, () => false);

function ask(url, { method = 'GET', headers = {}, body = '' } = {}) {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers: { ...headers, 'content-length': Buffer.byteLength(body) }, ca: authority }, async (answer) => {
      resolve({ status: answer.statusCode, body: await text(answer) });
    });
    asked.on('error', reject);
    asked.end(body);
  });
}
