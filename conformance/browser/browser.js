// A real browser and the real binary: what every test of the page needs, started here and stopped here.
import { existsSync } from 'node:fs';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import puppeteer from 'puppeteer-core';
import { freePort, start } from '../node/running.js';

const CHROMIUM = process.env.CHROMIUM ?? onPath('chromium', 'chromium-browser', 'google-chrome');
const FIREFOX = process.env.FIREFOX ?? onPath('firefox-esr', 'firefox');
const QUIET = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--no-proxy-server', '--hide-scrollbars',
];

export const DESKTOP = { width: 1280, height: 900 };
export const PHONE = { width: 360, height: 740, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

/** The first of these programs that the path has. */
function onPath(...names) {
  const folders = (process.env.PATH ?? '').split(':');
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
}

/** @param {string[]} [extra] further Chromium flags */
export function launchChromium(extra = []) {
  return puppeteer.launch({ executablePath: CHROMIUM, args: [...QUIET, '--lang=en', ...extra], env: quietEnvironment() });
}

export function launchFirefox() {
  return puppeteer.launch({ browser: 'firefox', executablePath: FIREFOX, headless: true, env: quietEnvironment() });
}

/** Loopback is reached directly, whatever proxy this machine uses. */
function quietEnvironment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/_proxy$/i.test(name)));
}

/**
 * `countersign serve` on free ports.
 * @param {string[]} [extra] further flags; `{app}` and `{store}` in them become the ports
 */
export async function startServe(extra = []) {
  const data = await mkdtemp(join(tmpdir(), 'countersign-'));
  const [store, app] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${app}`;
  const flags = extra.map((flag) => flag.replaceAll('{app}', String(app)).replaceAll('{store}', String(store)));
  const args = ['serve', '--data', data, '--store', `127.0.0.1:${store}`, '--app', `127.0.0.1:${app}`, ...flags];
  const running = await start(args, `${url}/healthz`);
  // It is ready before it says so.
  while (!running.printed.includes('Ctrl-C')) await new Promise((resolve) => setTimeout(resolve, 10));
  return {
    url,
    storeUrl: `http://127.0.0.1:${store}`,
    ports: { app, store },
    data,
    printed: () => running.printed,
    uploads: async (headers = {}) => (await (await fetch(`${url}/uploads`, { headers })).json()).uploads,
    stop: async () => {
      await running.stop();
      await rm(data, { recursive: true, force: true });
    },
  };
}

/** A folder for the files that a test chooses on the page. */
export async function filesIn(entries) {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-files-'));
  const paths = [];
  for (const [name, bytes] of entries) {
    paths.push(join(folder, name));
    await writeFile(paths.at(-1), bytes);
  }
  return { paths, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Opens the page ready to use, with a record of its requests and of every error it logged. */
export async function openPage(browser, address, { viewport = DESKTOP, scheme = 'light', language = 'en' } = {}) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  const seen = { requests: [], faults: [] };
  page.on('request', (request) => seen.requests.push(`${request.method()} ${request.url()}`));
  page.on('pageerror', (error) => seen.faults.push(String(error)));
  await page.setViewport(viewport);
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]).catch(() => {});
  const url = new URL(address);
  if (language) url.searchParams.set('lang', language);
  await page.goto(url.href, { waitUntil: 'load' });
  await page.waitForSelector('html:not(.starting)');
  await page.waitForSelector('html[data-asked]');
  return { page, seen, close: () => context.close() };
}

/** Chooses files as a person does, through the page's own input. */
export async function choose(page, paths) {
  const input = await page.$('#files');
  await input.uploadFile(...paths);
}

/** Waits until the newest row is in one of these states and returns its state and line. */
export async function rowBecomes(page, states, { timeout = 20_000, row = 1 } = {}) {
  const reached = page.waitForFunction(
    (wanted, nth) => wanted.includes(document.querySelectorAll('#rows > .row')[nth - 1]?.dataset.state),
    { timeout },
    [states].flat(),
    row,
  );
  await reached.catch(async (cause) => {
    throw new Error(`the row is ${JSON.stringify(await rowOf(page, row))} and not ${states}`, { cause });
  });
  return rowOf(page, row);
}

export function rowOf(page, row = 1) {
  return page.evaluate((nth) => {
    const node = document.querySelectorAll('#rows > .row')[nth - 1];
    return { state: node.dataset.state, line: node.querySelector('.state').textContent, key: node.dataset.key ?? null };
  }, row);
}

/** Keeps a picture of the page as an artefact; a person looks at them. */
export async function picture(page, name) {
  const folder = process.env.COUNTERSIGN_ARTEFACTS ?? fileURLToPath(new URL('../../artefacts/', import.meta.url));
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

/**
 * Uploads no faster than so many bytes a second, by the browser's own network emulation.
 * @returns a function that changes it
 */
export async function throttle(page, bytesPerSecond) {
  const session = await page.createCDPSession();
  await session.send('Network.enable');
  const change = (conditions) =>
    session.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1, ...conditions });
  await change({ uploadThroughput: bytesPerSecond });
  return change;
}
