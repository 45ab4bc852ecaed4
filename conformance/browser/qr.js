// Reads QR codes with zbarimg: from a picture, and from the block letters of a terminal.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SCALE = 8;

/** @param {Uint8Array} bytes PNG or PGM */
export async function readPicture(bytes, extension = 'png') {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-qr-'));
  try {
    const path = join(folder, `code.${extension}`);
    await writeFile(path, bytes);
    const { stdout } = await run('zbarimg', ['--quiet', '--raw', path]);
    return stdout.trim();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @param {string} printed what the terminal shows; a full block is light, a blank is dark, as on a dark terminal */
export async function readTerminal(printed) {
  const all = printed.replaceAll(/\u001b\[[0-9;]*m/g, '').split('\n');
  const isOfCode = (line) => /[█▀▄]/.test(line);
  const lines = all.slice(all.findIndex(isOfCode), all.findLastIndex(isOfCode) + 1);
  const indent = Math.min(...lines.filter(isOfCode).map((line) => line.search(/[█▀▄]/)));
  const width = Math.max(...lines.map((line) => [...line].length)) - indent;
  const rows = lines.flatMap((line) => {
    const letters = [...line.padEnd(width + indent)].slice(indent, indent + width);
    return [letters.map((letter) => '█▀'.includes(letter)), letters.map((letter) => '█▄'.includes(letter))];
  });
  for (const inverted of [false, true]) {
    const pgm = [`P2 ${width * SCALE + 8 * SCALE} ${rows.length * SCALE + 8 * SCALE} 1`];
    const margin = Array.from({ length: 4 }, () => Array(width + 8).fill(true));
    const padded = [...margin, ...rows.map((row) => [...Array(4).fill(true), ...row.map((light) => light !== inverted), ...Array(4).fill(true)]), ...margin];
    for (const row of padded) {
      const line = row.map((light) => Array(SCALE).fill(light ? 1 : 0).join(' ')).join(' ');
      for (let copy = 0; copy < SCALE; copy += 1) pgm.push(line);
    }
    const read = await readPicture(Buffer.from(`${pgm.join('\n')}\n`), 'pgm').catch(() => '');
    if (read) return read;
  }
  throw new Error(`no code in the terminal:\n${printed}`);
}
