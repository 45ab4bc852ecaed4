/** What is refused here, because the store would refuse it or because the file cannot be read any more. */

import { contentTypeRefusal, readPolicy } from './policy_document.js';
import { UploadError } from './upload_error.js';

/**
 * @param {import('./permission.js').Permission} permission
 * @param {File | Blob} file
 * @param {[string, string][]} fields of the form
 * @throws {UploadError} with the store's own code and words, so that a caller need not care which of the two noticed
 */
export function refuseWhatPolicyForbids(permission, file, fields) {
  const policy = readPolicy(permission.policy);
  if (policy === null) return;
  const { sizeRange } = policy;
  if (sizeRange !== null && file.size > sizeRange.max) {
    throw refusedHere('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size.');
  }
  if (sizeRange !== null && file.size < sizeRange.min) {
    throw refusedHere('EntityTooSmall', 'Your proposed upload smaller than the minimum allowed size.');
  }
  const contentType = declaredType(file, fields);
  if (contentType === null) return;
  const condition = contentTypeRefusal(policy, contentType);
  if (condition !== null) {
    throw refusedHere('AccessDenied', `Invalid according to Policy: Policy Condition failed: ${condition}`);
  }
}

/**
 * @param {File | Blob} file
 * @param {[string, string][]} fields
 * @returns {string | null} nothing where the store derives it from the extension: then only the store can judge
 */
function declaredType(file, fields) {
  const field = fields.find(([name]) => name.toLowerCase() === 'x-oss-content-type')?.[1];
  return field ?? (file.type || null);
}

/**
 * @param {string} code
 * @param {string} message
 */
function refusedHere(code, message) {
  return new UploadError('refused', message, { code, local: true });
}

/**
 * A file that changed on disk since it was chosen cannot be read any more, and while sending that would look like
 * a broken connection.
 *
 * @param {Blob} file
 */
export async function refuseUnreadable(file) {
  try {
    // Of nothing, no part can be read: an empty file is asked for itself.
    await (file.size === 0 ? file : file.slice(0, 1)).arrayBuffer();
  } catch (cause) {
    throw new UploadError('refused', 'the file changed or went away since it was chosen', {
      code: 'FileUnreadable',
      local: true,
      cause,
    });
  }
}
