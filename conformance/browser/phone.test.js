// The phone's way: the codes of terminal and page are read, the address opened phone-sized under a host name that is no
// secure context, and a picture goes up from there with the token that the address carries.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DESKTOP, PHONE, choose, filesIn, launchChromium, openPage, rowBecomes, startServe } from './browser.js';
import { drawPhotograph } from './photograph.js';
import { readPicture, readTerminal } from './qr.js';

let browser;
let serve;
let files;
before(async () => {
  browser = await launchChromium(['--host-resolver-rules=MAP phone.test 127.0.0.2, MAP store.test 127.0.0.2']);
  const page = await browser.newPage();
  files = await filesIn([['IMG_0002.jpg', await drawPhotograph(page, { width: 1600, height: 1200 })]]);
  await page.close();
  serve = await startServe([
    '--lan=127.0.0.2', '--public-app-url', 'http://phone.test:{app}', '--public-store-url', 'http://store.test:{store}',
  ]);
});
after(async () => {
  await browser?.close();
  await serve?.stop();
  await files?.remove();
});

test('terminal and page show the same address, and it works on a phone', async () => {
  const address = await readTerminal(serve.printed());
  assert.match(address, new RegExp(`^http://phone\\.test:${serve.ports.app}/\\?token=[\\w-]{16,}$`));
  assert.ok(serve.printed().includes(address), 'the address stands there as text too');

  const computer = await openPage(browser, address, { viewport: { ...DESKTOP, deviceScaleFactor: 2 } });
  await computer.page.waitForSelector('#code img');
  const code = await computer.page.$('#code');
  assert.equal(await readPicture(await code.screenshot()), address);
  assert.ok((await computer.page.$eval('#pairing', (node) => node.textContent)).includes(address));
  await computer.close();

  const phone = await openPage(browser, address, { viewport: PHONE });
  assert.equal(await phone.page.evaluate(() => window.isSecureContext), false);
  assert.equal(await phone.page.evaluate(() => typeof crypto.randomUUID), 'undefined');
  assert.equal(await phone.page.evaluate(() => document.documentElement.scrollWidth), PHONE.width);
  assert.equal(await phone.page.$eval('#pairing', (node) => getComputedStyle(node).display), 'none');
  await choose(phone.page, files.paths);
  const row = await rowBecomes(phone.page, ['done', 'refused', 'stored-not-confirmed']);
  assert.equal(row.state, 'done', row.line);
  const posts = phone.seen.requests.filter((request) => request.startsWith('POST '));
  assert.deepEqual(posts, [`POST http://store.test:${serve.ports.store}/demo`]);
  assert.deepEqual(phone.seen.faults, []);
  await phone.close();
});

test('without the token there is no signature and no ledger', async () => {
  const opened = await openPage(browser, `http://phone.test:${serve.ports.app}/`, { viewport: PHONE });
  await choose(opened.page, files.paths);
  const row = await rowBecomes(opened.page, ['refused', 'done']);
  assert.equal(row.state, 'refused', row.line);
  await opened.close();
});
