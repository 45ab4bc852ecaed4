import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { UploadPathError, normaliseUploadPath } from '../src/upload_path.js';

const vectors = JSON.parse(readFileSync(new URL('../../vectors/normalise_path.json', import.meta.url), 'utf8'));

for (const { name, path, root, normalised, refused } of vectors.cases) {
  test(`agrees with the server on a path: ${name}`, () => {
    if (refused === undefined) {
      assert.equal(normaliseUploadPath(path, root), normalised);
    } else {
      assert.throws(() => normaliseUploadPath(path, root), (error) => {
        assert.ok(error instanceof UploadPathError);
        assert.equal(error.reason, refused);
        return true;
      });
    }
  });
}

test('the vectors hold both kinds of case', () => {
  assert.ok(vectors.cases.length > 20);
  assert.ok(vectors.cases.some((/** @type {any} */ { refused }) => refused !== undefined));
});
