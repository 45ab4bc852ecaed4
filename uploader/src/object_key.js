/**
 * The name under which a file is stored.
 *
 * A random name cannot be guessed and never overwrites. A local name is left to the store, which puts the
 * file's own name where `${filename}` stands, after the policy has been checked against the literal text.
 */

/** The variable that the store replaces by the file's own name. */
export const FILENAME_VARIABLE = '${filename}';

/**
 * A random identifier in the usual form (version 4). `crypto.randomUUID` exists only in a secure context, and
 * a phone that opens the page over plain http in the local network has none; `getRandomValues` is everywhere.
 *
 * @param {(bytes: Uint8Array) => void} [fillWithRandom]
 * @returns {string}
 */
export function randomId(fillWithRandom = (bytes) => void crypto.getRandomValues(bytes)) {
  const bytes = new Uint8Array(16);
  fillWithRandom(bytes);
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/**
 * The extension with its dot, or nothing. A leading dot starts a hidden file, not an extension, and what is not
 * made of letters and digits is part of the name.
 *
 * @param {string} fileName
 * @returns {string}
 */
export function extensionOf(fileName) {
  const found = /[^/\\](\.[\p{L}\p{N}]{1,16})$/u.exec(fileName);
  return found === null ? '' : found[1];
}

/**
 * @param {string} prefix ends with a slash, or is empty
 * @param {string} fileName
 * @param {() => string} [newId]
 * @returns {string}
 */
export function randomKey(prefix, fileName, newId = randomId) {
  return `${prefix}${newId()}${extensionOf(fileName)}`;
}

/**
 * The key that the store will make of a local name: browsers write a quote or a line break in a form's file
 * name as `%22`, `%0D` or `%0A`, and the store uses the last path segment.
 *
 * @param {string} prefix
 * @param {string} fileName
 * @returns {string}
 */
export function expectedLocalKey(prefix, fileName) {
  const asSent = fileName.replace(/"/g, '%22').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
  return prefix + asSent.slice(asSent.lastIndexOf('/') + 1);
}

/**
 * The prefix for the keys: the path that was asked for where the permission covers it, otherwise the directory
 * that the application gave (some sample servers ignore the path and always sign their own).
 *
 * @param {string | undefined} path normalised
 * @param {string | null} dir
 * @returns {string}
 */
export function keyPrefix(path, dir) {
  if (dir === null) return path ?? '';
  if (path !== undefined && path.startsWith(dir)) return path;
  return dir === '' || dir.endsWith('/') ? dir : `${dir}/`;
}
