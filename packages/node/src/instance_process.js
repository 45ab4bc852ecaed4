/**
 * One running `countersign instance`. It ends when its standard input closes, so also when this process is killed. What
 * it logs goes to a file without a name: nothing has to read along, and nothing is left behind.
 */

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clearTimeout, setTimeout } from 'node:timers';
import { locateBinary } from './binary.cjs';

const START_MS_MAX = 30_000;
const STOP_MS_MAX = 10_000;
const END_MS_MAX = 200;
const LOG_BYTES_SHOWN = 8 * 1024;

/**
 * @typedef {object} InstanceOptions
 * @property {string[]} [buckets] to make at the start; `demo` when none is named
 * @property {string} [seed] a folder as `countersign export` writes it
 * @property {string} [binary] instead of the one of the platform's package
 */

/** The instance did not start, or is gone; the message holds what it said. */
export class InstanceError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = 'InstanceError';
  }
}

/**
 * A process as it can be kept for the next test file, whose functions and globals may be others: data, and no methods.
 *
 * @typedef {object} Launched
 * @property {import('node:child_process').ChildProcess} child
 * @property {number} log a descriptor
 * @property {Promise<string>} line what it announces when it is ready
 * @property {boolean} stopped on purpose
 */

/**
 * @param {InstanceOptions} options
 * @returns {Launched}
 * @throws {import('./binary.cjs').BinaryMissingError}
 */
export function launch({ buckets = [], seed, binary = locateBinary() }) {
  const named = buckets.flatMap((name) => ['--bucket', name]);
  const seeded = seed === undefined ? [] : ['--seed', seed];
  const log = unnamedFile();
  const env = withoutOurs(process.env);
  const child = spawn(binary, ['instance', ...named, ...seeded], { stdio: ['pipe', 'pipe', log], env });
  return { child, log, line: firstLine(child), stopped: false };
}

/** A process that is ready. */
export class InstanceProcess {
  #launched;

  /**
   * @param {Launched} launched
   * @param {Record<string, string>} variables that it announced
   */
  constructor(launched, variables) {
    this.#launched = launched;
    this.variables = variables;
  }

  /**
   * Waits for the line that says it is ready.
   *
   * @param {Launched} launched
   * @throws {InstanceError}
   */
  static async readied(launched) {
    const { child } = launched;
    try {
      const variables = readVariables(await launched.line);
      // From here on it keeps no process alive, and ends with it.
      child.unref();
      for (const stream of [child.stdin, child.stdout]) /** @type {import('node:net').Socket} */ (stream).unref();
      return new InstanceProcess(launched, variables);
    } catch (reason) {
      child.kill('SIGKILL');
      const what = `countersign instance did not start: ${/** @type {Error} */ (reason).message}`;
      const told = explain(what, launched.log);
      release(launched);
      throw new InstanceError(told);
    }
  }

  /** @returns {number} of the process */
  get pid() {
    return this.#launched.child.pid ?? 0;
  }

  /**
   * Asked after a request failed: a connection may break a moment before the process is known to have ended.
   *
   * @returns {Promise<string | undefined>} what to say when it is gone
   */
  async whyGone() {
    const { child, log, stopped } = this.#launched;
    if (stopped) return 'the instance was stopped';
    for (let waited = 0; waited < END_MS_MAX && !hasEnded(child); waited += 20) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return hasEnded(child) ? explain(`the instance ended with ${child.exitCode ?? child.signalCode}`, log) : undefined;
  }

  /** @returns {string} the end of what it logged */
  log() {
    return endOf(this.#launched.log);
  }

  /** Ends it, and waits until it is gone. */
  async stop() {
    const launched = this.#launched;
    launched.stopped = true;
    const { child } = launched;
    if (!hasEnded(child)) {
      child.ref();
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.stdin?.end();
      const impatience = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
      await ended;
      clearTimeout(impatience);
    }
    release(launched);
  }
}

/** @param {import('node:child_process').ChildProcess} child */
function hasEnded({ exitCode, signalCode }) {
  return exitCode !== null || signalCode !== null;
}

/** @param {Launched} launched */
function release(launched) {
  if (launched.log >= 0) closeSync(launched.log);
  launched.log = -1;
}

/**
 * @param {string} what
 * @param {number} log
 */
function explain(what, log) {
  const text = endOf(log);
  return text === '' ? what : `${what}\nIt said:\n${text}`;
}

/** @param {number} log */
function endOf(log) {
  if (log < 0) return '';
  const { size } = fstatSync(log);
  const bytes = Buffer.alloc(Math.min(size, LOG_BYTES_SHOWN));
  const length = readSync(log, bytes, 0, bytes.length, size - bytes.length);
  return bytes.toString('utf8', 0, length).trim();
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<string>}
 */
function firstLine(child) {
  const { stdout } = child;
  return new Promise((resolve, reject) => {
    let text = '';
    const settle = (/** @type {() => void} */ tell) => {
      clearTimeout(impatience);
      // When it says more, this test file and its functions may be gone.
      child.removeAllListeners();
      stdout?.removeAllListeners('data').resume();
      tell();
    };
    const fail = (/** @type {Error} */ error) => settle(() => reject(error));
    const impatience = setTimeout(() => fail(new Error(`it is not ready after ${START_MS_MAX / 1000} s`)), START_MS_MAX);
    child.on('error', fail);
    child.on('close', (code, signal) => fail(new Error(`it ended with ${code ?? signal}`)));
    stdout?.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end >= 0) settle(() => resolve(text.slice(0, end)));
    });
  });
}

/** @returns {number} a descriptor */
function unnamedFile() {
  const path = join(tmpdir(), `countersign-${randomUUID()}.log`);
  const file = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return file;
}

/**
 * @param {string} line
 * @returns {Record<string, string>}
 */
function readVariables(line) {
  const variables = JSON.parse(line);
  if (!variables.COUNTERSIGN_STORE_URL) throw new Error(`its first line names no store: ${line}`);
  return variables;
}

/**
 * The instance is set up here and nowhere else: a variable meant for another Countersign must not change a test.
 *
 * @param {Record<string, string | undefined>} environment
 */
function withoutOurs(environment) {
  const kept = Object.entries(environment).filter(([name]) => !name.startsWith('COUNTERSIGN_') || name === 'COUNTERSIGN_LOG');
  return Object.fromEntries(kept);
}
