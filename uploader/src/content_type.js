/**
 * The type of a file whose device does not know it. Browsers take it from the system's list, which often lacks what
 * phones take pictures and films in; a policy for pictures would then refuse a photograph.
 */

/** @type {Record<string, string>} */
const BY_EXTENSION = {
  '.avif': 'image/avif',
  '.heic': 'image/heic',
  '.heif': 'image/heif',
  '.jxl': 'image/jxl',
  '.mkv': 'video/x-matroska',
  '.mov': 'video/quicktime',
  '.webp': 'image/webp',
};

/**
 * @param {Blob} file
 * @param {string} fileName
 * @returns {Blob} the same bytes, not copied, with a type where one can be had
 */
export function withType(file, fileName) {
  const extension = /\.[^./\\]+$/.exec(fileName)?.[0].toLowerCase() ?? '';
  const type = file.type === '' ? BY_EXTENSION[extension] : undefined;
  return type === undefined ? file : file.slice(0, file.size, type);
}
