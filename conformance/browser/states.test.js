// What the page says while things go wrong: nothing before it is known, and always a way on.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer, request as httpRequest } from 'node:http';
import { after, before, test } from 'node:test';
import { choose, filesIn, launchChromium, openPage, rowBecomes, rowOf, startServe, throttle } from './browser.js';
import { drawPhotograph } from './photograph.js';

const AXE = await readFile(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

let browser;
let files;
before(async () => {
  browser = await launchChromium();
  const page = await browser.newPage();
  const photograph = await drawPhotograph(page, { width: 1600, height: 1200 });
  await page.close();
  const small = Array.from({ length: 200 }, (_, index) => [`note-${index}.txt`, `note ${index}`]);
  files = await filesIn([['photo.jpg', photograph], ['a+b #1% 照片😀.txt', 'hello'], ...small]);
});
after(async () => {
  await browser?.close();
  await files?.remove();
});

async function withPage(flags, query, story, options = {}) {
  const serve = await startServe(flags);
  const opened = await openPage(browser, `${serve.url}/${query}`, options);
  try {
    await story({ serve, ...opened });
    assert.deepEqual(opened.seen.faults, []);
  } finally {
    await opened.close();
    await serve.stop();
  }
}

const firstAction = (page) => page.$eval('.row .actions', (node) => [...node.children].map((child) => child.textContent));
const pressAction = (page, name, row = '#rows > .row') =>
  page.evaluate((selector, wanted) => {
    [...document.querySelectorAll(`${selector} .actions button`)].find((button) => button.textContent === wanted).click();
  }, row, name);
const signOf = (page) => page.$eval('#rows > .row .sign use', (node) => node.getAttribute('href'));

/** Runs in the page: its clock jumps, as after so long a wait. */
function letTimePass(milliseconds) {
  const now = Date.now.bind(Date);
  Date.now = () => now() + milliseconds;
}

/** A proxy before the store that misbehaves as `manner.now` says. */
async function startProxy() {
  const manner = { now: 'honest', target: '' };
  const server = createServer((asked, answered) => {
    const { origin } = asked.headers;
    const answer = (status, title) => {
      asked.resume();
      asked.on('end', () => {
        answered.writeHead(status, { 'access-control-allow-origin': origin ?? '*' });
        answered.end(`<html><head><title>${title}</title></head></html>`);
      });
    };
    if (manner.now === 'without CORS') return void answered.writeHead(403).end();
    if (manner.now === 'too large' && asked.method === 'POST') return answer(413, '413 Request Entity Too Large');
    if (manner.now === 'gateway gives up' && asked.method === 'POST') return answer(504, '504 Gateway Time-out');
    if (manner.now === 'swallows' && asked.method === 'POST') return void asked.resume();
    const silent = manner.now === 'keeps the answer' && asked.method === 'POST';
    const passed = httpRequest(new URL(asked.url, manner.target), { method: asked.method, headers: asked.headers }, (heard) => {
      if (silent) return void heard.resume();
      answered.writeHead(heard.statusCode, heard.headers);
      heard.pipe(answered);
    });
    passed.on('error', () => answered.destroy());
    asked.pipe(passed);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${server.address().port}`, manner, stop };
}

/** The page, and a proxy between it and its store. */
async function withProxy(story) {
  const proxy = await startProxy();
  try {
    await withPage(['--public-store-url', proxy.url], '', (opened) => {
      proxy.manner.target = opened.serve.storeUrl;
      return story({ ...opened, manner: proxy.manner });
    });
  } finally {
    proxy.stop();
  }
}

test('after the last byte nothing is said to be stored, waiting can be ended, and the application is asked', async () => {
  await withProxy(async ({ page, manner }) => {
    manner.now = 'swallows';
    await choose(page, [files.paths[2]]);
    assert.equal((await rowBecomes(page, ['confirming'])).line, 'Sent, waiting for the answer');
    assert.equal(await signOf(page), '#sign-waiting', 'no tick');
    assert.equal(await page.$eval('#flow', (flow) => flow.dataset.flow), 'waiting', 'no tick in the picture either');
    assert.deepEqual(await firstAction(page), ['Stop waiting']);
    await page.focus('.row .actions button');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => !/^Sent, waiting|asking/.test(document.querySelector('.row .state').textContent));
    assert.deepEqual(await rowOf(page).then(({ state, line }) => [state, line]), [
      'unknown', 'Sent; you stopped waiting for the answer; the application does not know of it yet',
    ]);
    assert.deepEqual(await firstAction(page), ['Ask again', 'Upload again']);
    assert.ok(await page.evaluate(() => document.querySelector('.row').contains(document.activeElement)), 'the focus stays in the row');
    await pressAction(page, 'Upload again');
    await rowBecomes(page, ['confirming']);
    await page.evaluate(letTimePass, 31_000);
    await page.waitForFunction(() => /^Sent, no answer for 3\d s; the application does not know of it yet/.test(document.querySelector('.row .state').textContent));
    await pressAction(page, 'Stop waiting');
    await page.waitForFunction(() => document.querySelector('.row .actions').textContent.includes('Upload again'));
    manner.now = 'keeps the answer';
    await pressAction(page, 'Upload again');
    await rowBecomes(page, ['confirming']);
    await page.evaluate(letTimePass, 31_000);
    assert.equal((await rowBecomes(page, ['done'])).line, 'Confirmed by the application', 'by the ledger, without an answer');
  });
});

test('without a network an upload waits and goes on by itself; without data it says so', async () => {
  await withPage([], '', async ({ page }) => {
    const network = await throttle(page, -1);
    // The list comes with the first sign of a person.
    await page.mouse.move(5, 5);
    await page.waitForSelector('#sign-queued');
    await page.waitForNetworkIdle({ idleTime: 200 });
    await network({ offline: true });
    await choose(page, [files.paths[0]]);
    assert.equal((await rowBecomes(page, ['offline'])).line, 'Waiting for the network');
    await network({ uploadThroughput: 1 });
    await rowBecomes(page, ['sending']);
    await page.waitForFunction(() => /No data for \d+ s/.test(document.querySelector('.row.stalled .state')?.textContent));
    assert.equal(await signOf(page), '#sign-waiting');
    await network({});
    await rowBecomes(page, ['done']);
  });
});

test("after a reload the ledger's uploads of this folder are there, in the page's language, and open", async () => {
  await withPage([], '?name=local', async ({ page, serve }) => {
    await choose(page, [files.paths[1]]);
    const { key } = await rowBecomes(page, ['done', 'refused']);
    assert.equal(key, 'user-dir/a+b #1% 照片😀.txt');
    await page.goto(`${serve.url}/?lang=zh`);
    await page.waitForSelector('#earlier .row');
    assert.match(await page.$eval('#earlier', (node) => node.textContent), /user-dir\/ 中此前的上传.*照片😀\.txt.*应用已确认/s);
    assert.match(await page.$eval('#earlier .name', (node) => node.title), /照片😀/);
    await page.evaluate(() => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(['x'], 'x'));
      dispatchEvent(new DragEvent('dragenter', { dataTransfer }));
    });
    assert.equal(await page.$eval('#overlay', (node) => node.innerText.trim()), '松开即上传到 user-dir/');
    const opened = await page.$eval('#earlier a', async (link) => (await fetch(link.href)).text());
    assert.equal(opened, 'hello');
    await page.$eval('#dir', (field) => {
      field.value = 'other/';
      field.dispatchEvent(new Event('change'));
    });
    assert.equal(await page.$eval('#earlier', (node) => node.hidden), true, 'another folder has others');
  });
});

test('two hundred files: a sum, one line each, and one press for all', async () => {
  await withPage([], '', async ({ page }) => {
    const network = await throttle(page, 1);
    await choose(page, files.paths.slice(2));
    await page.waitForFunction(() => document.querySelectorAll('.row[data-state=confirming]').length === 4);
    await page.waitForFunction(() => document.title === '(0/200) Countersign');
    assert.match(await page.$eval('#total', (node) => node.textContent), /^0 of 200 files · .* of [\d.]+ KB/);
    assert.match(await page.$eval('#spoken', (node) => node.textContent), /Upload of 200 files begins/);
    await pressAction(page, 'Cancel all', '#total');
    // The browser calls the first four sent, which proves nothing: what became of them is asked.
    await page.waitForFunction(() => /4 with problems · 196 cancelled/.test(document.querySelector('#total').textContent));
    await pressAction(page, 'Clear finished', '#total');
    assert.equal(await page.$$eval('#rows > .row', (rows) => rows.length), 0);
    assert.equal(await page.$eval('#total', (node) => node.hidden), true);
    await choose(page, files.paths.slice(2, 12));
    await page.waitForFunction(() => document.querySelectorAll('.row[data-state=confirming]').length === 4);
    await pressAction(page, 'Cancel all', '#total');
    await page.waitForFunction(() => document.querySelectorAll('.row[data-state=cancelled]').length === 6);
    await network({});
    await pressAction(page, 'Retry all', '#total');
    // What may be stored is not sent again unasked.
    await page.waitForFunction(() => /^10 of 10 files · .*6 confirmed · 4 with problems/s.test(document.querySelector('#total').textContent));
    assert.equal(await page.title(), '! 6/10 Countersign');
    const heights = await page.$$eval('#rows > .row[data-state=done]', (rows) => rows.map((row) => row.getBoundingClientRect().height));
    for (const height of heights) assert.ok(height < 72, `${heights}`);
    assert.equal(await page.$$eval('.conversation:not([hidden])', (open) => open.length), 0);
  });
});

test("a proxy's answer is told as a proxy's, and a missing CORS rule with the origin to allow", async () => {
  await withProxy(async ({ page, serve, manner }) => {
    const tell = async (now, states) => {
      manner.now = now;
      await choose(page, [files.paths[2]]);
      await rowBecomes(page, states);
      return page.$eval('#rows > .row', (node) => [node.querySelector('.state').textContent, node.querySelector('.remedy').textContent]);
    };
    // First, because a browser remembers what a preflight permitted.
    const [origin, allow] = await tell('without CORS', ['refused']);
    assert.match(origin, /does not permit uploads from this page \(CORS\)/);
    assert.ok(allow.endsWith(`--allow-origin ${serve.url}`), allow);
    const [tooLarge, raise] = await tell('too large', ['refused']);
    assert.match(tooLarge, /A proxy before the store does not take a file of this size \(413\)/);
    assert.match(raise, /client_max_body_size/);
    assert.match((await tell('gateway gives up', ['unknown']))[0], /a proxy answered instead of the store \(504\); asking/);
    assert.ok(!(await page.$eval('#rows', (node) => node.textContent)).includes('<'), 'no markup outside of the details');
  });
});

test('axe finds nothing in any state, in both languages, light and dark, down to 320 px', async () => {
  await withPage(['--max-size', '500000'], '', async ({ page, seen }) => {
    await page.evaluate(AXE);
    await lookWithAxe(page, 'empty');
    await page.click('#sample');
    await rowBecomes(page, ['done']);
    await page.waitForSelector('.row .story');
    await choose(page, [files.paths[0]]);
    await rowBecomes(page, ['refused']);
    const network = await throttle(page, 1);
    await choose(page, [files.paths[3], files.paths[4], files.paths[5]]);
    await rowBecomes(page, ['sending', 'confirming']);
    await pressAction(page, 'Cancel', '#rows > .row:nth-child(2)').catch(() => {});
    await lookWithAxe(page, 'several');
    await page.setViewport({ width: 320, height: 740 });
    for (const language of ['en', 'zh']) {
      await speak(page, language);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320, language);
    }
    await network({});
    assert.deepEqual(seen.faults, []);
  });
});

async function speak(page, language) {
  const spoken = language === 'zh' ? 'zh-CN' : 'en';
  if ((await page.evaluate(() => document.documentElement.lang)) !== spoken) await page.$eval('#language', (link) => link.click());
  await page.waitForFunction((wanted) => document.documentElement.lang === wanted, {}, spoken);
}

async function lookWithAxe(page, what) {
  for (const language of ['en', 'zh']) {
    await speak(page, language);
    for (const scheme of ['light', 'dark']) {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }, { name: 'prefers-reduced-motion', value: 'reduce' }]);
      const found = await page.evaluate(async () => (await window.axe.run()).violations.flatMap(({ id, nodes }) =>
        nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary}`)));
      assert.deepEqual(found, [], `${what}, ${language}, ${scheme}`);
    }
  }
  await speak(page, 'en');
}
