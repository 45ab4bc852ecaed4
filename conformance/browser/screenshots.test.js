// The pictures of the page that somebody looks at: every state, at a computer's and a phone's width, light and dark.
import { after, before, test } from 'node:test';
import { startApplication } from '../node/running.js';
import { DESKTOP, PHONE, choose, filesIn, launchChromium, openPage, picture, rowBecomes, startServe, throttle } from './browser.js';
import { drawPhotograph } from './photograph.js';

const VIEWPORTS = [['1280', DESKTOP], ['360', PHONE]];

let browser;
let files;
before(async () => {
  browser = await launchChromium();
  const page = await browser.newPage();
  const look = { width: 1600, height: 1200 };
  files = await filesIn([
    ['IMG_2041.jpg', await drawPhotograph(page, look)],
    ['IMG_2042.jpg', await drawPhotograph(page, { ...look, hue: 260 })],
    ['IMG_2043.jpg', await drawPhotograph(page, { ...look, hue: 160 })],
    ['note.txt', 'hello'],
  ]);
  await page.close();
});
after(async () => {
  await browser?.close();
  await files?.remove();
});

/** With its token, where the server demands one. */
function addressOf({ url, printed }) {
  const token = /\?token=[\w-]+/.exec(printed())?.[0] ?? '';
  return `${url}/${token}`;
}

/**
 * One server, every look; `story` brings the page into the state that is pictured. Light and dark are two pictures of the
 * same moment.
 */
async function pictures(name, flags, story, languages = ['en']) {
  const serve = await startServe(flags);
  try {
    for (const language of languages) {
      for (const [width, viewport] of VIEWPORTS) {
        const { page, close } = await openPage(browser, addressOf(serve), { viewport, language });
        await story(page);
        await new Promise((resolve) => setTimeout(resolve, 300));
        for (const scheme of ['light', 'dark']) {
          await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
          await picture(page, [name, width, scheme, language].join('-'));
        }
        await close();
      }
    }
  } finally {
    await serve.stop();
  }
}

test('empty', () => pictures('empty', [], async () => {}, ['en', 'zh']));

test('empty, with a code for the phone', () =>
  pictures('empty-lan', ['--lan=127.0.0.2'], (page) => page.waitForSelector('#pairing:not([hidden]) img')));

test('three files in three states', () =>
  pictures('three', ['--type', 'image/*'], async (page) => {
    await choose(page, [files.paths[0]]);
    await rowBecomes(page, ['done']);
    await choose(page, [files.paths[3]]);
    await rowBecomes(page, ['refused']);
    await throttle(page, 150_000);
    await choose(page, [files.paths[1]]);
    await page.waitForFunction(() => Number.parseInt(document.querySelector('.row[data-state=sending] .state')?.textContent, 10) > 20);
  }, ['en', 'zh']));

test('refused', () =>
  pictures('refused', ['--max-size', '100000'], async (page) => {
    await choose(page, [files.paths[0]]);
    await rowBecomes(page, ['refused']);
  }));

test('details of a confirmed upload', () =>
  pictures('details', [], async (page) => {
    await choose(page, [files.paths[2]]);
    await rowBecomes(page, ['done']);
    await page.waitForSelector('.row .conversation:not([hidden]) .axis');
  }, ['en', 'zh']));

for (const [name, state, answer] of [
  ['declined', 'declined', ['{"Status":"Declined","message":"this album is full"}', 200]],
  ['not-confirmed', 'stored-not-confirmed', ['{}', 500]],
]) {
  test(name, async () => {
    const application = await startApplication(...answer);
    try {
      await pictures(name, ['--forward', application.url], async (page) => {
        await choose(page, [files.paths[1]]);
        await rowBecomes(page, [state]);
      });
    } finally {
      await application.stop();
    }
  });
}
