// Once in Debian's Firefox: the same page, the same ending.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choose, filesIn, launchFirefox, openPage, rowBecomes, startServe } from './browser.js';

test('a file goes up and is confirmed in Firefox', { timeout: 120_000 }, async () => {
  const serve = await startServe();
  const browser = await launchFirefox();
  const files = await filesIn([['照片.txt', 'from Firefox']]);
  try {
    const { page } = await openPage(browser, serve.url);
    await choose(page, files.paths);
    const row = await rowBecomes(page, ['done', 'refused', 'stored-not-confirmed']);
    assert.equal(row.state, 'done', row.line);
    assert.equal((await serve.uploads())[0].key, row.key);
  } finally {
    await browser.close();
    await serve.stop();
    await files.remove();
  }
});
