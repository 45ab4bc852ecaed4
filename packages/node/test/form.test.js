// Node reads back the form that we write.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeForm } from '../src/form.js';

test('writes the fields in order and the file last, whatever is in their names', async () => {
  /** @type {[string, string][]} */
  const fields = [['key', '目录/a b.txt'], ['policy', 'e30='], ['x:"odd"\r\nname', 'line\r\nline']];
  const content = Buffer.from([0, 13, 10, 45, 45, 255]);
  const { type, body } = encodeForm(fields, { name: '照片 "1".jpg', type: 'image/jpeg', content });
  const form = await new Response(body, { headers: { 'content-type': type } }).formData();
  const entries = [...form.entries()];
  assert.deepEqual(entries.slice(0, 3), fields);
  const [name, file] = entries[3] ?? [];
  assert.ok(name === 'file' && file instanceof File && entries.length === 4);
  assert.deepEqual([file.name, file.type], ['照片 "1".jpg', 'image/jpeg']);
  assert.deepEqual(Buffer.from(await file.arrayBuffer()), content);
});
