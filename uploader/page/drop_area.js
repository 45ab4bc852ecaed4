/** The ways in: drop anywhere, choose, camera or gallery, paste, or a sample picture. */

import { byId } from './element.js';
import { say } from './language.js';
import { shownDir } from './settings.js';

/** @param {(files: File[]) => void} take */
export function startDropArea(take) {
  const area = byId('drop');
  /** @type {[button: string, input: string][]} */
  const choosers = [['choose', 'files'], ['photo', 'photos'], ['other', 'files']];
  for (const [button, input] of choosers) {
    byId(button).addEventListener('click', (event) => {
      event.stopPropagation();
      byId(input).click();
    });
  }
  byId('sample').addEventListener('click', async (event) => {
    event.stopPropagation();
    const { samplePicture } = await import('./sample_picture.js');
    take([await samplePicture(say('sampleName'))]);
  });
  area.addEventListener('click', (event) => {
    if (event.target instanceof HTMLInputElement) return;
    byId('files').click();
  });
  for (const input of ['files', 'photos']) {
    const field = /** @type {HTMLInputElement} */ (byId(input));
    field.addEventListener('change', () => {
      take([...(field.files ?? [])]);
      field.value = ''; // so that the same file can be chosen again
    });
  }
  watchDragging(take);
  addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0) take(files);
  });
}

/** @param {(files: File[]) => void} take */
function watchDragging(take) {
  let depth = 0;
  const lit = (/** @type {boolean} */ on) => {
    byId('overlay-text').textContent = on ? say('dropHere', { dir: shownDir() || '/' }) : '';
    byId('overlay').hidden = !on;
  };
  const bringsFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes('Files') ?? false;
  addEventListener('dragenter', (event) => bringsFiles(event) && lit((depth += 1) > 0));
  addEventListener('dragleave', (event) => bringsFiles(event) && lit((depth = Math.max(0, depth - 1)) > 0));
  addEventListener('dragover', (event) => event.preventDefault());
  addEventListener('drop', async (event) => {
    event.preventDefault();
    depth = 0;
    lit(false);
    if (event.dataTransfer !== null) take(await droppedFiles(event.dataTransfer));
  });
}

/**
 * What was dropped must be read from the event before anything is awaited.
 *
 * @param {DataTransfer} dropped
 * @returns {Promise<File[]>} where folders were dropped, the files in them
 */
async function droppedFiles(dropped) {
  const files = [...dropped.files];
  const entries = [...dropped.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  if (!entries.some((entry) => entry?.isDirectory)) return files;
  const { filesUnder } = await import('./dropped_folder.js');
  return (await Promise.all(entries.map((entry) => (entry === null ? [] : filesUnder(entry))))).flat();
}
