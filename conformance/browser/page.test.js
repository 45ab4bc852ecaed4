// The page in Chromium against the real binary: a heavy photograph goes up and every ending is told truthfully.
import assert from 'node:assert/strict';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startApplication } from '../node/running.js';
import { choose, filesIn, launchChromium, openPage, rowBecomes, rowOf, startServe, throttle } from './browser.js';
import { drawPhotograph } from './photograph.js';

let browser;
let photograph;
let files;
before(async () => {
  browser = await launchChromium();
  const page = await browser.newPage();
  photograph = await drawPhotograph(page);
  await page.close();
  files = await filesIn([['IMG_0001.jpg', photograph], ['note.txt', 'hello'], ['no-extension', 'x'], ['empty.txt', '']]);
});
after(async () => {
  await browser?.close();
  await files?.remove();
});

/** Runs `story` with a fresh server and page, and fails on any error that the page threw. */
async function withPage(flags, query, story) {
  const serve = await startServe(flags);
  const opened = await openPage(browser, `${serve.url}/${query}`);
  try {
    await story({ serve, ...opened });
    assert.deepEqual(opened.seen.faults, []);
  } finally {
    await opened.close();
    await serve.stop();
  }
}

const signatures = (seen) => seen.requests.filter((request) => new URL(request.split(' ')[1]).pathname === '/signature');

test('a camera photograph rises, waits for the application and is confirmed', async () => {
  assert.ok(photograph.length > 4_000_000, `${photograph.length} bytes`);
  await withPage([], '', async ({ serve, page, seen }) => {
    await throttle(page, 1_000_000);
    await page.evaluate(watchStates);
    await choose(page, [files.paths[0]]);
    const row = await rowBecomes(page, ['done'], { timeout: 40_000 });
    assert.equal(row.line, 'Confirmed by the application');
    const states = await page.evaluate(() => window.watched);
    const percents = states.filter(([state]) => state === 'sending').map(([, line]) => Number.parseInt(line, 10));
    assert.ok(new Set(percents).size > 5, `rising values: ${percents}`);
    assert.deepEqual(percents, percents.toSorted((one, other) => one - other));
    const order = states.map(([state]) => state).filter((state, at, all) => state !== all[at - 1]);
    assert.deepEqual(order.slice(-3), ['sending', 'confirming', 'done'], `${order}`);
    const [record] = await serve.uploads();
    assert.equal(record.key, row.key);
    assert.match(record.key, /^user-dir\/[^/]+\.jpg$/);
    assert.equal(Number(record.size), photograph.length);
    assert.deepEqual([Number(record.width), Number(record.height)], [4032, 3024]);
    const opened = await page.evaluate(async (key) => {
      const answer = await fetch(`/open?key=${encodeURIComponent(key)}`);
      return { size: (await answer.arrayBuffer()).byteLength, type: answer.headers.get('content-type') };
    }, row.key);
    assert.deepEqual(opened, { size: photograph.length, type: 'image/jpeg' });
    assert.equal(signatures(seen).length, 1);
    // The details of the first upload open by themselves.
    await page.waitForSelector('.row .conversation:not([hidden])');
    const told = await page.$eval('.row .conversation', (node) => node.textContent);
    for (const part of ['success_action_status', 'content-length-range', 'filename=', 'Status']) {
      assert.ok(told.includes(part), `${part} in the details`);
    }
  });
});

test('a second upload re-uses the signature, and after expiry exactly one is fetched', async () => {
  await withPage(['--lifetime', '8'], '', async ({ page, seen }) => {
    await choose(page, [files.paths[1]]);
    await rowBecomes(page, ['done']);
    await choose(page, [files.paths[1]]);
    await page.waitForFunction(() => document.querySelectorAll('.row[data-state=done]').length === 2);
    assert.equal(signatures(seen).length, 1);
    await new Promise((resolve) => setTimeout(resolve, 8_000));
    await choose(page, [files.paths[1], files.paths[2], files.paths[1]]);
    await page.waitForFunction(() => document.querySelectorAll('.row[data-state=done]').length === 5);
    assert.equal(signatures(seen).length, 2);
  });
});

test('cancelling in mid-body ends at once and leaves nothing anywhere', async () => {
  await withPage([], '', async ({ serve, page }) => {
    await throttle(page, 1_000_000);
    await choose(page, [files.paths[0]]);
    await page.waitForFunction(() => Number.parseInt(document.querySelector('.row[data-state=sending] .state')?.textContent, 10) > 5);
    const took = await page.evaluate(async () => {
      const started = performance.now();
      document.querySelector('.row .actions button').click();
      while (document.querySelector('.row').dataset.state !== 'cancelled') await new Promise(requestAnimationFrame);
      return performance.now() - started;
    });
    assert.ok(took < 200, `${took} ms`);
    assert.equal((await rowOf(page)).line, 'Cancelled');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    assert.deepEqual(await serve.uploads(), []);
    assert.ok((await bytesIn(serve.data)) < 1_000_000, 'no bytes of it on the disk');
  });
});

test('the library rejects with an AbortError', async () => {
  await withPage([], '', async ({ page }) => {
    await throttle(page, 1_000_000);
    const ending = await page.evaluate(async () => {
      const { Uploader } = await import('/uploader/index.js');
      const controller = new AbortController();
      const file = new File([new Uint8Array(3_000_000)], 'a.bin');
      let began = 0;
      const observe = (progress) => {
        if (progress.phase === 'sending' && progress.sent > 0 && began === 0) {
          began = performance.now();
          controller.abort();
        }
      };
      const uploader = new Uploader({ url: '/signature' });
      return uploader.upload(file, undefined, { observe, signal: controller.signal }).then(
        () => 'stored',
        (error) => [error.name, performance.now() - began, error.message],
      );
    });
    assert.equal(ending[0], 'AbortError', ending[2]);
    assert.ok(ending[1] < 200, `${ending[1]} ms`);
  });
});

describe('what the application says decides', () => {
  for (const [name, answer, state, line] of [
    ['declined', [200, '{"Status":"Declined","message":"no pictures of cats today"}'], 'declined', /declined: “no pictures of cats today”/],
    ['an answer of 500', [500, '{}'], 'stored-not-confirmed', /did not confirm: it answered 500/],
    ['any letter case of OK', [200, '{"Status":"oK"}'], 'done', /Confirmed/],
  ]) {
    test(name, async () => {
      const application = await startApplication(...answer.toReversed());
      try {
        await withPage(['--forward', application.url], '', async ({ page }) => {
          await choose(page, [files.paths[1]]);
          const row = await rowBecomes(page, ['done', 'declined', 'stored-not-confirmed', 'refused']);
          assert.equal(row.state, state, row.line);
          assert.match(row.line, line);
        });
      } finally {
        await application.stop();
      }
    });
  }
});

test('without a callback it is stored, and says no more than that', async () => {
  await withPage([], '?callback=0', async ({ serve, page }) => {
    await choose(page, [files.paths[1]]);
    const row = await rowBecomes(page, ['stored', 'done', 'refused']);
    assert.deepEqual([row.state, row.line], ['stored', 'Stored']);
    assert.deepEqual(await serve.uploads(), []);
  });
});

test('version 4 signatures work too', async () => {
  await withPage([], '?version=4', async ({ page }) => {
    await choose(page, [files.paths[1]]);
    assert.equal((await rowBecomes(page, ['done', 'refused'])).state, 'done');
  });
});

test('the local name is kept and never overwritten', async () => {
  await withPage([], '?name=local', async ({ page }) => {
    await choose(page, [files.paths[1]]);
    assert.equal((await rowBecomes(page, ['done', 'refused'])).key, 'user-dir/note.txt');
    await choose(page, [files.paths[1]]);
    const row = await rowBecomes(page, ['refused']);
    assert.match(row.line, /there already/);
  });
});

test('what is not allowed is refused in words', async () => {
  await withPage(['--max-size', '100000', '--type', 'image/jpeg'], '', async ({ serve, page }) => {
    await choose(page, [files.paths[0]]);
    assert.match((await rowBecomes(page, ['refused'])).line, /Larger than the allowed/);
    await choose(page, [files.paths[1]]);
    await page.waitForFunction(() => document.querySelectorAll('.row[data-state=refused]').length === 2);
    assert.match((await rowOf(page)).line, /text\/plain is not accepted here/);
    assert.deepEqual(await serve.uploads(), []);
  });
});

test('a file without extension gets a key without a dot; an empty one goes up', async () => {
  await withPage([], '', async ({ page }) => {
    await choose(page, [files.paths[2]]);
    assert.match((await rowBecomes(page, ['done'])).key, /^user-dir\/[^./]+$/);
    await choose(page, [files.paths[3]]);
    await page.waitForFunction(() => document.querySelectorAll('.row[data-state=done]').length === 2);
  });
});

test('the first load is small and from one host only', async () => {
  await withPage([], '', async ({ serve, page, seen }) => {
    const loaded = await page.evaluate(() => performance.getEntriesByType('resource').map((entry) => [entry.name, entry.encodedBodySize]));
    const document = await page.evaluate(() => performance.getEntriesByType('navigation')[0].encodedBodySize);
    const total = loaded.reduce((sum, [, size]) => sum + size, document);
    assert.ok(total < 40_000, `${total} bytes: ${JSON.stringify(loaded)}`);
    for (const request of seen.requests) assert.ok(request.split(' ')[1].startsWith(serve.url) || request.includes('data:'), request);
  });
});

/** Runs in the page: keeps every state and line that the first row shows. */
function watchStates() {
  window.watched = [];
  new MutationObserver(() => {
    const row = document.querySelector('#rows > .row');
    if (!row) return;
    const now = [row.dataset.state, row.querySelector('.state').textContent];
    const last = window.watched.at(-1);
    if (last?.[0] !== now[0] || last?.[1] !== now[1]) window.watched.push(now);
  }).observe(document.querySelector('#rows'), { subtree: true, childList: true, attributes: true, characterData: true });
}

/** Without the room that the store keeps back for deletions on a full disk. */
async function bytesIn(folder) {
  let total = 0;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() && entry.name !== 'RESERVE') total += (await stat(join(entry.parentPath ?? entry.path, entry.name))).size;
  }
  return total;
}
