/** The files in a folder that was dropped; loaded when somebody drops one. */

/**
 * @param {FileSystemEntry} entry
 * @returns {Promise<File[]>}
 */
export async function filesUnder(entry) {
  if (entry.isFile) {
    return [await new Promise((resolve, reject) => /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject))];
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  const files = [];
  for (;;) {
    // One call gives a part of the folder; an empty part is its end.
    /** @type {FileSystemEntry[]} */
    const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) return files;
    for (const inner of part) files.push(...(await filesUnder(inner)));
  }
}
