/**
 * The form that goes to the store: its fields, in the order of the samples, and the file last. What comes after
 * the file the store does not read, so nothing can be put there.
 */

import { FILENAME_VARIABLE } from './object_key.js';

/**
 * @typedef {object} FormPlan
 * @property {import('./permission.js').Permission} permission
 * @property {string} key
 * @property {Record<string, string>} [further] such as `x:` variables
 */

/**
 * `success_action_status` asks for 200 because the store's own default is 204, an answer without a body. A key that
 * the file's local name decides may meet another file of that name, so it must not overwrite.
 *
 * @param {FormPlan} plan
 * @returns {[name: string, value: string][]} without the file
 */
export function formFields({ permission, key, further = {} }) {
  const fields = permission.version === 'V4' ? fieldsV4(permission, key) : fieldsV1(permission, key);
  if (key.includes(FILENAME_VARIABLE) && !('x-oss-forbid-overwrite' in further)) {
    fields.push(['x-oss-forbid-overwrite', 'true']);
  }
  fields.push(.../** @type {[string, string][]} */ (Object.entries(further)));
  return fields;
}

/**
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
