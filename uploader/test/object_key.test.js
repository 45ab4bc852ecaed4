import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectedLocalKey, extensionOf, keyPrefix, randomId, randomKey } from '../src/object_key.js';

test('a random id has the form of a version 4 identifier', () => {
  assert.match(randomId(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(randomId((bytes) => bytes.fill(0xff)), 'ffffffff-ffff-4fff-bfff-ffffffffffff');
});

test('random ids differ', () => {
  assert.equal(new Set(Array.from({ length: 1000 }, () => randomId())).size, 1000);
});

test('a random id needs nothing that only a secure context has', () => {
  const described = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(crypto), 'randomUUID');
  Object.defineProperty(Object.getPrototypeOf(crypto), 'randomUUID', { value: undefined, configurable: true });
  try {
    assert.equal(randomId().length, 36);
  } finally {
    if (described) Object.defineProperty(Object.getPrototypeOf(crypto), 'randomUUID', described);
  }
});

const EXTENSIONS = {
  'photo.jpg': '.jpg',
  'PHOTO.JPG': '.JPG',
  'archive.tar.gz': '.gz',
  README: '',
  '.bashrc': '',
  'a.': '',
  '': '',
  'report.v1 final': '',
  '照片.图片': '.图片',
  'x.a/b': '',
};

for (const [name, extension] of Object.entries(EXTENSIONS)) {
  test(`the extension of ${JSON.stringify(name)} is ${JSON.stringify(extension)}`, () => {
    assert.equal(extensionOf(name), extension);
  });
}

test('a name without extension gives a key without a dot', () => {
  assert.equal(randomKey('user-dir/', 'README', () => 'id'), 'user-dir/id');
  assert.equal(randomKey('user-dir/', 'a.png', () => 'id'), 'user-dir/id.png');
});

test('a local name is expected as the browser writes it into the form', () => {
  assert.equal(expectedLocalKey('d/', 'say "hi".txt'), 'd/say %22hi%22.txt');
  assert.equal(expectedLocalKey('d/', '照片 1.jpg'), 'd/照片 1.jpg');
});

test('keys stay inside the directory that the application signed', () => {
  assert.equal(keyPrefix('user-dir/42/', 'user-dir/'), 'user-dir/42/');
  assert.equal(keyPrefix('other/', 'user-dir/'), 'user-dir/');
  assert.equal(keyPrefix(undefined, 'user-dir'), 'user-dir/');
  assert.equal(keyPrefix('a/', null), 'a/');
  assert.equal(keyPrefix(undefined, ''), '');
});
