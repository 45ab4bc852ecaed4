/**
 * The folder that an upload goes to, in its one written form.
 *
 * Server and browser must agree on this form, because the signature is cached per path and the policy's
 * key prefix is made from it. Both are held to `vectors/normalise_path.json`.
 */

/** Bytes of the path with its end slash, so that a name still fits into the 1,023 of a key. */
const PATH_BYTES_MAX = 900;

/**
 * @typedef {'control_character' | 'backslash' | 'variable' | 'dot_segment' | 'empty' | 'too_long' | 'outside_root'}
 *   UploadPathRefusal
 */

/** The path cannot name a folder: it says which rule it breaks. */
export class UploadPathError extends Error {
  /**
   * @param {string} path
   * @param {UploadPathRefusal} reason
   */
  constructor(path, reason) {
    super(`the upload path ${JSON.stringify(path)} is refused: ${reason}`);
    this.name = 'UploadPathError';
    this.path = path;
    this.reason = reason;
  }
}

/**
 * Collapses repeated slashes, drops the leading one and ends with one: `//a//b` becomes `a/b/`.
 *
 * @param {string} path
 * @param {string} [root] normalised already; empty means the whole bucket
 * @returns {string}
 * @throws {UploadPathError}
 */
export function normaliseUploadPath(path, root = '') {
  const segments = path.split('/').filter((segment) => segment !== '');
  const normalised = `${segments.join('/')}/`;
  const refused = refusalOf(path, segments, normalised, root === '' || root.endsWith('/') ? root : `${root}/`);
  if (refused !== null) throw new UploadPathError(path, refused);
  return normalised;
}

/**
 * @param {string} path
 * @param {string[]} segments
 * @param {string} normalised
 * @param {string} root
 * @returns {UploadPathRefusal | null}
 */
function refusalOf(path, segments, normalised, root) {
  if (/[\u0000-\u001f\u007f-\u009f]/.test(path)) return 'control_character';
  if (path.includes('\\')) return 'backslash';
  if (path.includes('${')) return 'variable';
  if (segments.some((segment) => segment === '.' || segment === '..')) return 'dot_segment';
  if (segments.length === 0) return 'empty';
  if (new TextEncoder().encode(normalised).length > PATH_BYTES_MAX) return 'too_long';
  return normalised.startsWith(root) ? null : 'outside_root';
}
