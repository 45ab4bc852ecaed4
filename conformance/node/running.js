// Starts the built binary's store on a free loopback port, and an application that callbacks reach; stops both.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const KEY_ID = 'conformance-id';
export const KEY_SECRET = 'conformance-secret';
export const BINARY = process.env.COUNTERSIGN_BIN ?? fileURLToPath(new URL('../../target/release/countersign', import.meta.url));

export async function freePort() {
  const probe = createTcpServer();
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Runs `countersign` with `args` until `healthUrl` answers 200, as `isReady` sees it. */
export async function start(args, healthUrl, env = {}, isReady = answersOk) {
  const child = spawn(BINARY, args, {
    env: { ...process.env, COUNTERSIGN_ACCESS_KEY_ID: KEY_ID, COUNTERSIGN_ACCESS_KEY_SECRET: KEY_SECRET, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const running = { printed: '', process: child };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (running.printed += chunk));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  running.stop = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  const deadline = Date.now() + 20_000;
  for (;;) {
    if (await isReady(healthUrl)) return running;
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`countersign is not ready:\n${running.printed}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const answersOk = (url) => fetch(url).then((answer) => answer.ok, () => false);

export async function startStore(extra = []) {
  const data = await mkdtemp(join(tmpdir(), 'countersign-'));
  const address = `127.0.0.1:${await freePort()}`;
  const url = `http://${address}`;
  const args = ['store', '--data', data, '--listen', address, '--callback-allow', '127.0.0.0/8', ...extra];
  const running = await start(args, `${url}/_countersign/healthz`);
  const stop = async () => {
    await running.stop();
    await rm(data, { recursive: true, force: true });
  };
  return { ...running, url, stop };
}

export async function startApplication(answer = '{"Status":"OK","from":"application"}', status = 200) {
  const received = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      received.push({ path: request.url, headers: request.headers, body });
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) });
      response.end(answer);
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = () => new Promise((resolve) => server.close(resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, received, stop };
}
