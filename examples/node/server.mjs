/**
 * An application server for uploads that go straight to the store, on Node's own modules.
 *
 *     GET  /signature     a signed form for uploads into the user's own folder
 *     POST /callback      the store's callback: verified, recorded once, answered in this application's words
 *     GET  /uploads?key=  what this application said about one upload; null while no callback has come
 */

import { createHmac, createPublicKey, timingSafeEqual, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';

const base64 = (text) => Buffer.from(text).toString('base64');
const hmac = (key, text) => createHmac('sha256', key).update(text).digest();

const { OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET, OSS_BUCKET, OSS_REGION, OSS_ENDPOINT } = process.env;
const { APP_TOKENS, CALLBACK_URL, COUNTERSIGN_CALLBACK_KEY_FILE, COUNTERSIGN_CALLBACK_KEY_URL, PORT } = process.env;
// On the real OSS: `https://${OSS_BUCKET}.oss-cn-hangzhou.aliyuncs.com`
const UPLOAD_HOST = `${OSS_ENDPOINT}/${OSS_BUCKET}`;
const STORE_KEY = createPublicKey(readFileSync(COUNTERSIGN_CALLBACK_KEY_FILE));
const STORE_KEY_URL = base64(COUNTERSIGN_CALLBACK_KEY_URL);
const UPLOAD_BYTES_MAX = 5 << 20;
const CALLBACK_BYTES_MAX = 64 << 10;

// Your login, and your table of uploads with a unique index on the key.
const users = new URLSearchParams(APP_TOKENS); // token=user&token=user
const uploads = new Map();

/** Shows that a callback is for a form of ours: on the real OSS, the callbacks of all customers bear one key. */
function permitFor(folder) {
  return hmac(OSS_ACCESS_KEY_SECRET, `permit ${folder}`).toString('hex');
}

/** The policy pins, letter by letter, whatever the form carries besides the file; of the key it pins the folder. */
function formFor(folder) {
  const expiration = new Date(Date.now() + 5 * 60_000).toISOString();
  const date = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = [date.slice(0, 8), OSS_REGION, 'oss', 'aliyun_v4_request'];
  const callbackBody = `object=\${object}&size=\${size}&mimeType=\${mimeType}&permit=${permitFor(folder)}`;
  const pinned = {
    callback: base64(JSON.stringify({ callbackUrl: CALLBACK_URL, callbackBody })),
    'x-oss-forbid-overwrite': 'true',
    'x-oss-object-acl': 'private',
    'x-oss-signature-version': 'OSS4-HMAC-SHA256',
    'x-oss-credential': [OSS_ACCESS_KEY_ID, ...scope].join('/'),
    'x-oss-date': date,
  };
  const equalities = Object.entries(pinned).map(([name, value]) => ({ [name]: value }));
  const limits = [['starts-with', '$key', folder], ['content-length-range', 1, UPLOAD_BYTES_MAX]];
  const policy = base64(JSON.stringify({ expiration, conditions: [{ bucket: OSS_BUCKET }, ...limits, ...equalities] }));
  const signature = [...scope, policy].reduce((key, word) => hmac(key, word), `aliyun_v4${OSS_ACCESS_KEY_SECRET}`);
  const fields = { key: `${folder}\${filename}`, ...pinned, policy, 'x-oss-signature': signature.toString('hex') };
  return { host: UPLOAD_HOST, dir: folder, fields };
}

/** The key's address is compared and never fetched. The path is signed decoded, the query as it came. */
function isFromStore(request, body) {
  const { authorization = [], 'x-oss-pub-key-url': addresses = [] } = request.headersDistinct;
  if (authorization.length !== 1 || addresses.length !== 1 || addresses[0] !== STORE_KEY_URL) return false;
  const decoded = request.url.replace(/^[^?]*/, decodeURIComponent);
  const signed = Buffer.concat([Buffer.from(`${decoded}\n`), body]);
  return verify('RSA-MD5', signed, STORE_KEY, Buffer.from(authorization[0], 'base64'));
}

async function receive(request) {
  if (!(Number(request.headers['content-length']) <= CALLBACK_BYTES_MAX)) return [413, { Status: 'Refused' }];
  const body = await buffer(request);
  const facts = new URLSearchParams(body.toString());
  const key = facts.get('object');
  const permit = permitFor(key.slice(0, key.lastIndexOf('/') + 1));
  const isOurs = timingSafeEqual(Buffer.from(facts.get('permit')), Buffer.from(permit));
  if (!isOurs || !isFromStore(request, body)) return [400, { Status: 'Refused' }];
  const isPicture = facts.get('mimeType').startsWith('image/');
  const answer = isPicture ? { Status: 'OK' } : { Status: 'Declined', message: 'Only pictures are kept here.' };
  // A callback that comes again hears what the first one heard.
  console.log(`${JSON.stringify(key)}: ${answer.Status} (again: ${uploads.has(key)})`);
  if (!uploads.has(key)) uploads.set(key, answer);
  return [200, uploads.get(key)];
}

async function respond(request) {
  const [path, query] = request.url.split('?', 2);
  if (request.method === 'POST' && path === '/callback') return receive(request);
  const user = users.get((request.headers.authorization ?? '').replace(/^Bearer /, ''));
  if (user === null) return [401, { message: 'Log in first.' }];
  const folder = `user/${user}/`;
  const asked = new URLSearchParams(query);
  const wanted = asked.get('path') ?? asked.get('key') ?? folder;
  if (!wanted.startsWith(folder)) return [403, { message: 'That folder is not yours.' }];
  if (path === '/signature') return [200, formFor(folder)];
  if (path === '/uploads') return [200, uploads.get(wanted) ?? null];
  return [404, { message: 'There is nothing here.' }];
}

createServer(async (request, response) => {
  // Whatever is missing, or not what it should be, ends in an exception.
  const [status, value] = await respond(request).catch(() => [400, { Status: 'Refused' }]);
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': body.length }).end(body);
}).listen(Number(PORT), '127.0.0.1');
