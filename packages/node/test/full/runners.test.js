// The page's tests under the runners that are not Node's own: only their imports change.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { EmptyFolder } from '../empty_folder.js';
import { filesOf } from '../page.js';

const FILES = Object.values(filesOf('testing.md'));
/** @type {EmptyFolder[]} */
const folders = [];
after(() => folders.forEach((folder) => folder.remove()));

/** @param {string[]} packages */
async function folderWith(...packages) {
  const folder = new EmptyFolder();
  folders.push(folder);
  await folder.install('ali-oss@6.23.0', ...packages);
  return folder;
}

test('vitest: test comes from vitest', async (t) => {
  const folder = await folderWith('vitest@3.2.4');
  FILES.forEach((text, at) => folder.write(`page${at}.test.mjs`, text.replace("from 'node:test'", "from 'vitest'")));
  const { code, output } = await folder.alone('node_modules/.bin/vitest', ['run']);
  assert.equal(code, 0, output);
  assert.match(output, /Tests +2 passed/);
  t.diagnostic(`vitest: ${folder.seconds.toFixed(1)} s to install`);
});

test('vitest: the library works where the browser’s globals are in place of Node’s', async () => {
  const folder = await folderWith('vitest@3.2.4', 'jsdom@26.1.0');
  const shortest = String(FILES[1]).replace("from 'node:test'", "from 'vitest'");
  folder.write('page.test.mjs', `// @vitest-environment jsdom\n${shortest}`);
  const { code, output } = await folder.alone('node_modules/.bin/vitest', ['run']);
  assert.equal(code, 0, output);
});

test('jest: test is global, modules are required, and all test files of a worker share its instance', async (t) => {
  const folder = await folderWith('jest@30.2.0');
  const required = FILES.map((text) => text.replace(/^import \{ test \}.*\n/m, '').replace(/^import (.*) from (.*);$/gm, 'const $1 = require($2);'));
  const who = "test('which', async () => console.log('pid', (await require('countersign/testing').instance()).pid));";
  [...required, who, who].forEach((text, at) => folder.write(`page${at}.test.js`, text));
  const { code, output } = await folder.alone('node_modules/.bin/jest', ['--runInBand']);
  assert.equal(code, 0, output);
  assert.match(output, /Tests: +4 passed/);
  const pids = [...output.matchAll(/pid (\d+)/g)].map(([, pid]) => pid);
  assert.ok(pids.length === 2 && pids[0] === pids[1], String(pids));
  t.diagnostic(`jest: ${folder.seconds.toFixed(1)} s to install`);
});
