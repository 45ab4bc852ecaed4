/**
 * Countersign in a test suite: `instance` for this process, a `bucket` per test, `callbacks` that the test answers.
 */

import { instance } from './instance.js';

export { BinaryMissingError } from './binary.cjs';
export { RefusedError } from './bucket.js';
export { answer, decline } from './callbacks.js';
export { instance, startInstance } from './instance.js';
export { InstanceError } from './instance_process.js';

/** @typedef {import('./bucket.js').Bucket} Bucket */
/** @typedef {import('./bucket.js').Uploaded} Uploaded */
/** @typedef {import('./callbacks.js').Callback} Callback */
/** @typedef {import('./callbacks.js').Callbacks} Callbacks */
/** @typedef {import('./instance.js').Instance} Instance */

/**
 * Makes a bucket for one test, in the instance of this process.
 *
 * @param {Parameters<Instance['bucket']>[0]} [options]
 * @returns {Promise<Bucket>}
 */
export async function bucket(options) {
  return (await instance()).bucket(options);
}

/**
 * Starts a handler that the instance of this process may call.
 *
 * @param {import('./callbacks.js').CallbackHandler} [handler] without one it says yes to everything
 * @returns {Promise<Callbacks>}
 */
export async function callbacks(handler) {
  return (await instance()).callbacks(handler);
}
