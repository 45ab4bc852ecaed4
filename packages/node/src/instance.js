/** An instance as a test sees it: its addresses and keys, buckets of its own, and handlers that it may call. */

import childProcess from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Bucket } from './bucket.js';
import { Callbacks } from './callbacks.js';
import { pinnedKey } from './callback_signature.js';
import { InstanceError, InstanceProcess, launch } from './instance_process.js';
import { send } from './loopback.js';

/** Where the one instance of this process is kept. */
const KEPT = Symbol.for('countersign.testing.instance');
/** Variables that make an SDK act for another account, or call elsewhere: none of them reaches an application under test. */
const FOREIGN = /^(ALIBABA_?CLOUD|ALICLOUD|ALIYUN|OSSUTIL|COUNTERSIGN)_|^OSS_(SESSION_TOKEN|SECURITY_TOKEN|PROFILE|ROLE_)|^SECURITY_TOKEN$/;

/** @typedef {import('./instance_process.js').InstanceOptions} InstanceOptions */

/** A running instance. */
export class Instance {
  #process;

  /** @param {InstanceProcess} running */
  constructor(running) {
    this.#process = running;
  }

  /** @returns {Record<string, string>} `COUNTERSIGN_STORE_URL`, `OSS_ENDPOINT` and the others, as `exec` sets them */
  get env() {
    return this.#process.variables;
  }

  /**
   * The environment for an application under test that is a process of its own.
   *
   * @param {Record<string, string | undefined>} [from]
   * @returns {Record<string, string>}
   */
  environment(from = process.env) {
    const kept = Object.entries(from).filter(([name]) => !FOREIGN.test(name));
    const environment = /** @type {Record<string, string>} */ ({ ...Object.fromEntries(kept), ...this.env });
    for (const name of ['NO_PROXY', 'no_proxy']) {
      const hosts = `${from[name] ?? ''},${this.env[name] ?? ''}`.split(',').filter((host) => host !== '');
      environment[name] = [...new Set(hosts)].join(',');
    }
    return environment;
  }

  /**
   * Makes a bucket of its own for a test.
   *
   * @param {{ callbacks?: Callbacks, name?: string }} [options] `callbacks`: whom its uploads are told to
   * @returns {Promise<Bucket>}
   */
  async bucket({ callbacks, name = `test-${randomBytes(8).toString('hex')}` } = {}) {
    return new Bucket(this, name, callbacks).create();
  }

  /**
   * Starts a handler in this process that the instance may call.
   *
   * @param {import('./callbacks.js').CallbackHandler} [handler] without one it says yes to everything
   * @returns {Promise<Callbacks>}
   */
  async callbacks(handler = () => undefined) {
    return new Callbacks(pinnedKey(this.env), handler).listen();
  }

  /**
   * A request to the instance, which says why when the instance is gone.
   *
   * @param {Parameters<typeof send>} request
   * @returns {ReturnType<typeof send>}
   */
  async send(...request) {
    try {
      return await send(...request);
    } catch (error) {
      const why = await this.#process.whyGone();
      throw why === undefined ? error : new InstanceError(why);
    }
  }

  /** @returns {number} of the process */
  get pid() {
    return this.#process.pid;
  }

  /** @returns {string} the end of what the instance logged */
  log() {
    return this.#process.log();
  }

  /** Ends the instance and removes what it stored. Not needed: it ends with this process. */
  async stop() {
    await this.#process.stop();
  }
}

/**
 * Starts an instance of its own.
 *
 * @param {InstanceOptions} [options]
 * @returns {Promise<Instance>}
 */
export async function startInstance(options = {}) {
  return new Instance(await InstanceProcess.readied(launch(options)));
}

/**
 * The one instance of this process: the first call starts it. Jest gives each test file modules and globals of its own,
 * so it is kept at one of Node's modules, which are the process's.
 *
 * @returns {Promise<Instance>}
 */
export async function instance() {
  const keeper = /** @type {Record<symbol, import('./instance_process.js').Launched | undefined>} */ (
    /** @type {unknown} */ (childProcess)
  );
  const kept = keeper[KEPT];
  const launched = kept === undefined || kept.stopped ? (keeper[KEPT] = launch({})) : kept;
  try {
    return new Instance(await InstanceProcess.readied(launched));
  } catch (error) {
    if (keeper[KEPT] === launched) keeper[KEPT] = undefined;
    throw error;
  }
}
