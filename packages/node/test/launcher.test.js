// The command: it becomes the binary, or says what is missing.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BinaryMissingError, locateBinary } from '../src/binary.cjs';

const LAUNCHER = fileURLToPath(new URL('../bin/countersign', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'launcher-'));
after(() => rmSync(folder, { recursive: true }));

/** @param {string} path @param {string} commands */
function script(path, commands) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${commands}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** @param {Record<string, string>} environment @param {string} [input] */
async function launched(environment, input = '', launcher = LAUNCHER) {
  const child = spawn(launcher, ['one', 'two words'], { env: { PATH: process.env['PATH'], ...environment } });
  // One that fails at once does not read.
  child.stdin.on('error', () => {}).end(input);
  const code = new Promise((resolve) => child.once('close', resolve));
  const [out, error] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { pid: child.pid, out, error, code: await code };
}

test('the launcher becomes the binary: process, arguments, streams and exit code are its own', async () => {
  const binary = script(join(folder, 'whole'), 'echo "$$ $# $2"; cat; echo told >&2; exit 7');
  const ended = await launched({ COUNTERSIGN_BINARY: binary }, 'from outside');
  assert.deepEqual(ended, { pid: ended.pid, out: `${ended.pid} 2 two words\nfrom outside`, error: 'told\n', code: 7 });
});

test('a signal to the launcher is a signal to the binary', async () => {
  const binary = script(join(folder, 'waiting'), 'trap "exit 42" TERM; echo ready; while :; do sleep 0.05; done');
  const child = spawn(LAUNCHER, { env: { PATH: process.env['PATH'], COUNTERSIGN_BINARY: binary } });
  const code = new Promise((resolve) => child.once('exit', resolve));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  child.kill('SIGTERM');
  assert.equal(await code, 42);
});

test('the binary is found through the link that npm puts on the path, beside the package or above it', async () => {
  const project = join(folder, 'project');
  const platform = `@countersign/${process.platform}-${process.arch}/bin/countersign`;
  const name = join(project, 'node_modules/.bin/countersign');
  mkdirSync(dirname(name), { recursive: true });
  cpSync(LAUNCHER, join(project, 'node_modules/countersign/bin/countersign'));
  symlinkSync('../countersign/bin/countersign', name);
  script(join(folder, 'node_modules', platform), 'echo above');
  assert.equal((await launched({}, '', name)).out, 'above\n');
  script(join(project, 'node_modules', platform), 'echo beside');
  assert.equal((await launched({}, '', name)).out, 'beside\n');
});

test('a platform without a package is told what there is, and the way out', async () => {
  const uname = script(join(folder, 'odd/uname'), 'case $1 in -s) echo SunOS ;; *) echo sparc ;; esac');
  const { code, error } = await launched({ PATH: `${dirname(uname)}:${process.env['PATH']}` });
  assert.equal(code, 127);
  assert.match(error, /no package for SunOS-sparc, only: @countersign\/linux-x64 - set COUNTERSIGN_BINARY/);
  assert.throws(() => locateBinary({ environment: {}, platform: 'sunos-sparc' }), (thrown) => {
    assert.ok(thrown instanceof BinaryMissingError);
    assert.match(thrown.message, /no @countersign\/sunos-sparc, only @countersign\/linux-x64: set COUNTERSIGN_BINARY/);
    return true;
  });
});

test('a package that was left out is named, and so is a COUNTERSIGN_BINARY that leads nowhere', async () => {
  const missing = () => {
    throw new Error('MODULE_NOT_FOUND');
  };
  const lost = { COUNTERSIGN_BINARY: join(folder, 'nowhere') };
  assert.match((await launched(lost)).error, /COUNTERSIGN_BINARY names .*nowhere, which is no program/);
  assert.throws(() => locateBinary({ environment: lost }), /COUNTERSIGN_BINARY names .*nowhere, which does not exist/);
  const leftOut = /@countersign\/linux-x64 is not installed.*--omit=optional.*COUNTERSIGN_BINARY/;
  const uname = script(join(folder, 'linux/uname'), 'case $1 in -s) echo Linux ;; *) echo x86_64 ;; esac');
  const { error } = await launched({ PATH: `${dirname(uname)}:${process.env['PATH']}` });
  assert.match(error, leftOut);
  assert.throws(() => locateBinary({ environment: {}, platform: 'linux-x64', resolve: missing }), leftOut);
});

test('no package of ours runs anything when it is installed', () => {
  for (const file of ['package.json', 'platforms/linux-x64.json']) {
    const { scripts = {} } = JSON.parse(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8'));
    assert.deepEqual(Object.keys(scripts).filter((name) => /install|prepare/.test(name)), []);
  }
});
