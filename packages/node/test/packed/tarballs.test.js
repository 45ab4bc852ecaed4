// What `cargo xtask dist` packed, installed into an empty folder, where it must do without us and without a network.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CAN_BE_ALONE, EmptyFolder, tarball } from '../empty_folder.js';
import { filesOf, linesOf } from '../page.js';

const FILES = filesOf('testing.md');
const ALI_OSS = 'ali-oss@6.23.0';
const folder = new EmptyFolder();
before(() => folder.install(ALI_OSS));
after(() => folder.remove());

test('the tests of the page pass from an empty folder', async (t) => {
  for (const [name, content] of Object.entries(FILES)) folder.write(name, content);
  const started = process.hrtime.bigint();
  const { code, output } = await folder.alone('node', ['--test', '--test-reporter=tap', ...Object.keys(FILES)]);
  assert.equal(code, 0, output);
  assert.match(output, /^# pass 2$/m);
  const seconds = folder.seconds + Number(process.hrtime.bigint() - started) / 1e9;
  t.diagnostic(`node: ${seconds.toFixed(1)} s from an empty folder with a cold cache, ${ALI_OSS} included`);
  t.diagnostic(CAN_BE_ALONE ? 'without a network after the installation' : 'a network of its own is not permitted here');
});

test('the whole scenario has at most 25 lines, the shortest at most 10, and both languages have the same', () => {
  assert.deepEqual(Object.keys(FILES), ['upload.test.mjs', 'shortest.test.mjs']);
  assert.deepEqual(filesOf('testing.zh-CN.md'), FILES);
  const lines = Object.values(FILES).map(linesOf);
  assert.ok(Number(lines[0]) <= 25 && Number(lines[1]) <= 10, `${lines}`);
});

test('ali-oss takes the region as the environment spells it, and an application finds all it needs there', async () => {
  folder.write('application.mjs', `
    import OSS from 'ali-oss';
    const { OSS_ENDPOINT: endpoint, OSS_REGION: region, OSS_BUCKET: bucket, OSS_ACCESS_KEY_ID: accessKeyId, OSS_ACCESS_KEY_SECRET: accessKeySecret } = process.env;
    for (const authorizationV4 of [false, true]) {
      const client = new OSS({ endpoint, region, bucket, accessKeyId, accessKeySecret, authorizationV4 });
      await client.put('a/b.txt', Buffer.from('kept'));
      console.log(String((await client.get('a/b.txt')).content));
    }`);
  const { code, output } = await folder.alone('node_modules/.bin/countersign', ['exec', '--', 'node', 'application.mjs']);
  assert.equal(code, 0, output);
  assert.match(output, /kept\nkept\n/);
});

test('the command on the path is the binary', async () => {
  const { code, output } = await folder.alone('node_modules/.bin/countersign', ['--version']);
  assert.equal(code, 0, output);
  assert.match(output, /^countersign \d/);
});

test('require gets the same instance as import', async () => {
  folder.write('both.cjs', `
    const required = require('countersign/testing');
    import('countersign/testing').then(async (imported) => {
      const [one, other] = await Promise.all([required.instance(), imported.instance()]);
      console.log(one.pid === other.pid, typeof required.decline);
    });`);
  assert.deepEqual(await folder.alone('node', ['both.cjs']), { code: 0, output: 'true function\n' });
});

test('TypeScript finds the types, as a module and as it did before there were exports', async () => {
  folder.write('use.ts', `
    import { bucket, callbacks, decline, type Callback } from 'countersign/testing';
    export async function use(): Promise<string[]> {
      const application = await callbacks(({ size }: Callback) => (size > 5 ? decline('no') : undefined));
      const { status, key } = await (await bucket({ callbacks: application })).upload('a', 'b', { path: 'c/' });
      // @ts-expect-error: the status is a number
      const wrong: string = status;
      return [key, wrong, ...application.records.map((record) => record.bucket)];
    }`);
  const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));
  const strict = ['--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2022', '--types', 'node', '--typeRoots', `${modules}/@types`];
  for (const module of [['nodenext'], ['commonjs', '--moduleResolution', 'node10']]) {
    const { code, output } = await folder.run('node', [`${modules}/typescript/bin/tsc`, ...strict, '--module', ...module, 'use.ts']);
    assert.equal(code, 0, output);
  }
});

test('the tarballs hold what is needed and nothing else, and neither times nor owners', () => {
  const listed = (/** @type {string} */ name) => {
    const lines = execFileSync('tar', ['--list', '--verbose', '--utc', '--full-time', '--numeric-owner', '-zf', tarball(name)], { encoding: 'utf8' });
    return lines.trim().split('\n').map((line) => line.split(/\s+/));
  };
  const platform = listed(`countersign-${process.platform}-${process.arch}`);
  assert.deepEqual(platform.map((entry) => entry[5]).sort(), ['LICENSE', 'README.md', 'THIRD-PARTY-NOTICES.txt', 'bin/countersign', 'package.json'].map((name) => `package/${name}`));
  const launcher = listed('countersign');
  const kinds = new Set(launcher.map((entry) => String(entry[5]).replace(/^package\//, '').replace(/\/.*(\..*)$/, '/*$1')));
  assert.deepEqual([...kinds].sort(), [
    'LICENSE', 'README.md', 'README.zh-CN.md', 'bin/countersign', 'cjs/*.cjs', 'cjs/*.cts', 'cjs/*.js', 'cjs/*.json', 'cjs/*.ts',
    'package.json', 'src/*.cjs', 'src/*.js', 'types/*.cts', 'types/*.ts',
  ]);
  for (const entry of [...platform, ...launcher, ...listed('countersign-uploader')]) {
    assert.deepEqual(entry.slice(3, 5), ['1985-10-26', '08:15:00'], String(entry[5]));
    assert.equal(String(entry[0])[3], String(entry[5]).endsWith('bin/countersign') ? 'x' : '-');
  }
});
