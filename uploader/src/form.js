/**
 * The form that goes to the store: its fields in order, and the file last. What comes after the file the store does
 * not read, so nothing can be put there. The order and the fields are the application's where it says them, else those
 * of the samples.
 */

import { FILENAME_VARIABLE } from './object_key.js';
import { decodeBase64 } from './policy_document.js';

const NO_OVERWRITE = 'x-oss-forbid-overwrite';
/** Carries the file's own name to the application. It is the client's word: never signed, never to be trusted. */
const ORIGINAL_NAME = 'x:name';

/**
 * @typedef {object} FormPlan
 * @property {import('./permission.js').Permission} permission
 * @property {string} key
 * @property {string} [originalName] of the file, as it is called on this device
 * @property {Record<string, string>} [further] such as `x:` variables
 */

/**
 * A key that the file's local name decides may meet another file of that name, so it must not overwrite. No field is
 * ever sent twice: the store would refuse the form.
 *
 * @param {FormPlan} plan
 * @returns {[name: string, value: string][]} without the file
 */
export function formFields({ permission, key, originalName = '', further = {} }) {
  const fields = fieldsOf(permission, key);
  const add = (/** @type {string} */ name, /** @type {string} */ value) => {
    if (!(name in further) && !fields.some(([other]) => other === name)) fields.push([name, value]);
  };
  if (key.includes(FILENAME_VARIABLE)) add(NO_OVERWRITE, 'true');
  if (originalName !== '' && wantsOriginalName(permission)) add(ORIGINAL_NAME, originalName);
  const others = fields.filter(([name]) => !(name in further));
  return [...others, .../** @type {[string, string][]} */ (Object.entries(further))];
}

/**
 * @param {import('./permission.js').Permission} permission
 * @param {string} key
 * @returns {[string, string][]}
 */
function fieldsOf(permission, key) {
  if (permission.fields === null) return permission.version === 'V4' ? fieldsV4(permission, key) : fieldsV1(permission, key);
  const others = permission.fields.filter(([name]) => name !== 'key');
  return [['key', key], ...others];
}

/**
 * @param {import('./permission.js').Permission} permission
 * @returns {boolean} an application that never heard of it gets the form of the samples, and no field more
 */
function wantsOriginalName({ fields, callback }) {
  if (fields !== null) return true;
  try {
    return callback !== null && decodeBase64(callback).includes('${x:name}');
  } catch {
    return false;
  }
}

/**
 * `success_action_status` asks for 200 because the store's own default is 204, an answer without a body.
 *
 * @param {import('./permission.js').Permission} permission
 * @param {string} key
 * @returns {[string, string][]}
 */
function fieldsV1(permission, key) {
  return [
    ['key', key],
    ['policy', permission.policy],
    ['OSSAccessKeyId', permission.accessKeyId],
    ['success_action_status', '200'],
    ...present('callback', permission.callback),
    ...present('x-oss-security-token', permission.securityToken),
    ['signature', permission.signature],
  ];
}

/**
 * @param {import('./permission.js').Permission} permission
 * @param {string} key
 * @returns {[string, string][]}
 */
function fieldsV4(permission, key) {
  return [
    ['success_action_status', '200'],
    ['policy', permission.policy],
    ['x-oss-signature', permission.signature],
    ...present('x-oss-signature-version', permission.signatureVersion),
    ['x-oss-credential', permission.accessKeyId],
    ...present('x-oss-date', permission.date),
    ['key', key],
    ...present('x-oss-security-token', permission.securityToken),
    ...present('callback', permission.callback),
  ];
}

/**
 * @param {string} name
 * @param {string | null} value
 * @returns {[string, string][]}
 */
function present(name, value) {
  return value === null ? [] : [[name, value]];
}

/**
 * @param {[string, string][]} fields
 * @param {Blob} file
 * @param {string} fileName
 * @returns {FormData}
 */
export function formBody(fields, file, fileName) {
  const form = new FormData();
  for (const [name, value] of fields) form.append(name, value);
  form.append('file', file, fileName);
  return form;
}
