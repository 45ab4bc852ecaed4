/**
 * Reads the policy that the application signed, as far as an uploader can use it: until when it holds, which
 * sizes and which content types it permits. The store decides; this only avoids sending what it must refuse.
 */

/**
 * @typedef {object} PolicyDocument
 * @property {string} text the JSON as signed
 * @property {number | null} expiresAt milliseconds since the epoch, on the server's clock
 * @property {{ min: number, max: number } | null} sizeRange bytes, both ends included
 * @property {unknown[]} conditions
 */

/**
 * @param {string} base64
 * @returns {string} the decoded text
 * @throws {Error} where it is not base64
 */
export function decodeBase64(base64) {
  const bytes = Uint8Array.from(atob(base64.trim()), (character) => character.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}

/**
 * @param {string} base64 the form's `policy` field
 * @returns {PolicyDocument | null} nothing where it cannot be read: the store will say what is wrong with it
 */
export function readPolicy(base64) {
  try {
    const text = decodeBase64(base64);
    // OSS allows `\$` in a policy, JSON does not. An even number of backslashes before it is left alone.
    const value = JSON.parse(text.replace(/\\(.)/gs, (pair, escaped) => (escaped === '$' ? '$' : pair)));
    const conditions = Array.isArray(value.conditions) ? value.conditions : [];
    const expiresAt = Date.parse(value.expiration);
    return {
      text,
      expiresAt: Number.isNaN(expiresAt) ? null : expiresAt,
      sizeRange: sizeRangeOf(conditions),
      conditions,
    };
  } catch {
    return null;
  }
}

/**
 * @param {unknown[]} conditions
 * @returns {{ min: number, max: number } | null} where several ranges are given, what all of them permit
 */
function sizeRangeOf(conditions) {
  /** @type {{ min: number, max: number } | null} */
  let range = null;
  for (const condition of conditions) {
    if (!Array.isArray(condition) || condition[0] !== 'content-length-range') continue;
    const [, min, max] = condition;
    if (!Number.isInteger(min) || !Number.isInteger(max)) continue;
    const { min: lowest, max: highest } = /** @type {{ min: number, max: number }} */ (range ?? { min, max });
    range = { min: Math.max(min, lowest), max: Math.min(max, highest) };
  }
  return range;
}

/**
 * @param {PolicyDocument} policy
 * @param {string} contentType the one that counts: what the browser writes into the file's part, or a field that
 *   overrides it
 * @returns {string | null} the condition that this type does not meet, as OSS prints it
 */
export function contentTypeRefusal(policy, contentType) {
  for (const condition of policy.conditions) {
    const [operator, field, operand] = asList(condition);
    if (typeof field !== 'string') continue;
    const name = field.replace(/^\$/, '');
    if (name.toLowerCase() !== 'content-type') continue;
    if (!permits(operator, operand, contentType)) return printed([operator, `$${name}`, operand]);
  }
  return null;
}

/**
 * @param {unknown} condition
 * @returns {unknown[]} operator, field and operand, also of the short form `{"field": "value"}`
 */
function asList(condition) {
  if (Array.isArray(condition)) return condition;
  if (typeof condition !== 'object' || condition === null) return [];
  const [[field, value] = []] = Object.entries(condition);
  return ['eq', field, value];
}

/**
 * @param {unknown} value
 * @returns {string}
 */
function printed(value) {
  return Array.isArray(value) ? `[${value.map(printed).join(', ')}]` : JSON.stringify(value);
}

/**
 * @param {unknown} operator
 * @param {unknown} operand
 * @param {string} value
 * @returns {boolean} true also for what is not understood here: the store decides
 */
function permits(operator, operand, value) {
  switch (operator) {
    case 'eq':
      return value === operand;
    case 'starts-with':
      return typeof operand !== 'string' || value.startsWith(operand);
    case 'in':
      return !Array.isArray(operand) || operand.includes(value);
    case 'not-in':
      return !Array.isArray(operand) || !operand.includes(value);
    default:
      return true;
  }
}
