// What docs/testing.md says for Node, as files: the page is what is tested.
import { readFileSync } from 'node:fs';

/**
 * @param {string} page below docs/
 * @returns {Record<string, string>} the fences that name a file, by that name
 */
export function filesOf(page) {
  const text = readFileSync(new URL(`../../../docs/${page}`, import.meta.url), 'utf8');
  const section = /^## Node\n([^]*?)^## /m.exec(text)?.[1] ?? '';
  const fences = [...section.matchAll(/^```js (\S+)\n([^]*?)^```$/gm)];
  return Object.fromEntries(fences.map(([, name, content]) => [String(name), String(content)]));
}

/** @param {string} text */
export function linesOf(text) {
  return text.split('\n').filter((line) => line.trim() !== '').length;
}
