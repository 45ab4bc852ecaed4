/**
 * Countersign's uploader: files go from the browser straight to the store, and `upload` resolves only after the
 * application has confirmed them.
 *
 * ```js
 * const uploader = new Uploader({ url: '/signature' });
 * const { key, answer } = await uploader.upload(file, 'user-dir/', { observe: ({ phase, sent }) => … });
 * ```
 */

export { Network } from './network.js';
export { extensionOf, randomId } from './object_key.js';
export { readPermission } from './permission.js';
export { decodeBase64, readPolicy } from './policy_document.js';
export { SignatureCache } from './signature_cache.js';
export { UploadError } from './upload_error.js';
export { UploadPathError, normaliseUploadPath } from './upload_path.js';
export { Uploader } from './uploader.js';
