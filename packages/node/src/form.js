/** The form as browsers write it: its fields in order, the file last. */

import { randomUUID } from 'node:crypto';

/**
 * @typedef {object} FormFile
 * @property {string} name
 * @property {string} type
 * @property {Uint8Array} content
 */

/**
 * @param {[name: string, value: string][]} fields
 * @param {FormFile} file
 * @returns {{ type: string, body: Buffer }}
 */
export function encodeForm(fields, file) {
  const boundary = `form-${randomUUID()}`;
  const heads = fields.map(([name, value]) => `--${boundary}\r\n${disposition(name)}\r\n\r\n${value}\r\n`);
  const head = `--${boundary}\r\n${disposition('file', file.name)}\r\nContent-Type: ${file.type}\r\n\r\n`;
  const body = Buffer.concat([Buffer.from(heads.join('') + head), file.content, Buffer.from(`\r\n--${boundary}--\r\n`)]);
  return { type: `multipart/form-data; boundary=${boundary}`, body };
}

/**
 * @param {string} name
 * @param {string} [fileName]
 */
function disposition(name, fileName) {
  const file = fileName === undefined ? '' : `; filename="${quoted(fileName)}"`;
  return `Content-Disposition: form-data; name="${quoted(name)}"${file}`;
}

/** @param {string} text */
function quoted(text) {
  return text.replace(/["\r\n]/g, (character) => encodeURIComponent(character));
}
