import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { UploadError } from '../src/upload_error.js';

/** @type {typeof import('../page/reasons.js')} */
let reasons;
/** @type {typeof import('../page/language.js')} */
let language;
before(async () => {
  Object.assign(globalThis, { document: { documentElement: {} } });
  reasons = await import('../page/reasons.js');
  language = await import('../page/language.js');
  await language.speakOfFiles();
});

const CIRCUMSTANCES = {
  file: new File([], '空.txt', { type: 'text/plain' }), sizeRange: { min: 1, max: 10 << 20 }, types: ['image/png'], host: 'h', slept: false,
};
const condition = (/** @type {string} */ text) => `Invalid according to Policy: Policy Condition failed: ${text}`;

/** @type {[string | null, number, string, object?][]} */
const REFUSALS = [
  ['EntityTooLarge', 400, 'Your proposed upload exceeds the maximum allowed size.'],
  ['EntityTooSmall', 400, 'Your proposed upload smaller than the minimum allowed size.'],
  ['FileAlreadyExists', 409, 'The object you specified already exists.'],
  ['SignatureDoesNotMatch', 403, 'The request signature we calculated does not match.'],
  ['NoSuchBucket', 404, 'The specified bucket does not exist.'],
  ['SlowDown', 503, 'Please reduce your request rate.'],
  ['InsufficientStorage', 507, 'no room'],
  ['StoreUnreachable', 0, 'the store cannot be reached', { origin: 'http://a' }],
  ['OriginNotAllowed', 0, 'CORS', { origin: 'http://a' }],
  ['ConnectionLost', 0, 'the connection broke'],
  ['ProxyBodyTooLarge', 413, 'a proxy before the store'],
  ['NotTheStore', 405, 'what came is a page of HTML'],
  ['FileUnreadable', 0, 'the file changed'],
  ['SignatureUnavailable', 0, 'the application cannot be reached for a signature', { origin: 'http://a' }],
  ['SignatureUnavailable', 502, 'a page of HTML came with status 502 instead of a signature'],
  ['SignatureUnavailable', 500, 'the application answered 500 to the request for a signature'],
  ['SignatureUnavailable', 401, 'no token'],
  ['AccessDenied', 403, 'Invalid according to Policy: Policy expired.'],
  ['AccessDenied', 403, condition('["in", "$content-type", ["image/png"]]')],
  ['AccessDenied', 403, condition('["starts-with", "$key", "目录/"]')],
  ['AccessDenied', 403, condition('["eq", "$x-oss-object-acl", "private"]')],
  ['AccessDenied', 403, condition('something else entirely')],
  ['AccessDenied', 403, 'You have no right to access this object.'],
  ['MalformedPOSTRequest', 400, 'The body of your POST request is not well-formed multipart/form-data.'],
];
const CALLBACKS = [
  'Error status : 502.', 'Cost too long time.', 'Response body is not valid json format.', 'Too many callback requests.',
  'Error status : -1.OSS can not connect to your callbackUrl, please check it.', 'Private address is forbidden to callback.',
  'Error Status : 400.User server missing content-length.', 'something that no table knows',
];

/** @param {import('../page/reasons.js').Reason} reason */
const shown = ({ text, remedy }) => `${text} ${remedy ?? ''}`;

/** Names that stay as they are in every language. */
const NAMES = /CORS|nginx|JSON|\{"Status":"OK"\}|text\/plain|PNG|AccessDenied|MalformedPOSTRequest|x-oss-object-acl|[KM]B/g;

describe('every reason is in the page\'s language, without raw conditions, and never in two', () => {
  for (const [code, status, message, more] of REFUSALS) {
    test(`${code} ${status} ${message.slice(0, 60)}`, async () => {
      const error = new UploadError('refused', message, { code, status, ...more });
      await language.chooseLanguage('en');
      const english = shown(reasons.refusalReason(error, CIRCUMSTANCES));
      assert.ok(!/[["$<]/.test(english), english);
      assert.ok(english.trim() !== '' && !/undefined|\{\w+\}/.test(english), english);
      await language.chooseLanguage('zh');
      const chinese = shown(reasons.refusalReason(error, CIRCUMSTANCES)).replace(NAMES, '');
      assert.ok(/\p{Script=Han}/u.test(chinese) && !/[A-Za-z]{2,}/.test(chinese), chinese);
    });
  }
  for (const message of CALLBACKS) {
    test(`203 ${message}`, async () => {
      const error = new UploadError('stored-not-confirmed', message, { callbackAllow: '127.0.0.1/32:8888' });
      await language.chooseLanguage('zh');
      const chinese = shown(reasons.callbackReason(error)).replace(NAMES, '');
      assert.ok(/\p{Script=Han}/u.test(chinese) && !/[A-Za-z]{2,}/.test(chinese), chinese);
    });
  }
});

test('the remedy names what to type', async () => {
  const refused = new UploadError('stored-not-confirmed', 'Private address is forbidden to callback.', { callbackAllow: '127.0.0.1/32:8888' });
  assert.equal(reasons.callbackReason(refused).command, '--callback-allow 127.0.0.1/32:8888');
  const stopped = new UploadError('refused', '', { code: 'OriginNotAllowed', origin: 'https://app.example' });
  assert.equal(reasons.refusalReason(stopped, CIRCUMSTANCES).command, '--allow-origin https://app.example');
});

test('only a link that opens is a link', async () => {
  await language.chooseLanguage('zh');
  const error = (/** @type {string} */ recommendDoc) => new UploadError('refused', '', { recommendDoc });
  assert.equal(
    reasons.explanation(error('http://s:1/_countersign/docs/errors/AccessDenied')),
    'http://s:1/_countersign/docs/errors/AccessDenied?lang=zh',
  );
  for (const other of ['docs/callback-errors.md#x', 'javascript:alert(1)']) assert.equal(reasons.explanation(error(other)), null);
});
