/**
 * Finds the binary: the one that COUNTERSIGN_BINARY names, else the one of the package for this platform. It is the one
 * file that is no ES module, because `require.resolve` looks where the package manager put things, in every runner.
 */

'use strict';

const { existsSync, readFileSync } = require('node:fs');
const { join } = require('node:path');

/** There is no binary to start; the message says what there is and what to do. */
class BinaryMissingError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = 'BinaryMissingError';
  }
}

/**
 * @param {object} [looking]
 * @param {Record<string, string | undefined>} [looking.environment]
 * @param {string} [looking.platform] as the packages are named, such as `linux-x64`
 * @param {(name: string) => string} [looking.resolve]
 * @returns {string} the path of the binary
 */
function locateBinary({
  environment = process.env,
  platform = `${process.platform}-${process.arch}`,
  resolve = (name) => require.resolve(name),
} = {}) {
  const own = environment['COUNTERSIGN_BINARY'];
  if (own) {
    if (!existsSync(own)) throw new BinaryMissingError(`COUNTERSIGN_BINARY names ${own}, which does not exist`);
    return own;
  }
  const name = `@countersign/${platform}`;
  try {
    return resolve(`${name}/bin/countersign`);
  } catch {
    throw new BinaryMissingError(reason(name));
  }
}

/** @param {string} name of the package that was not found */
function reason(name) {
  const packages = platformPackages();
  const remedy = 'set COUNTERSIGN_BINARY to the path of a binary';
  return packages.includes(name)
    ? `${name} is not installed: it is an optional dependency of countersign; install without --omit=optional, or ${remedy}`
    : `there is no ${name}, only ${packages.join(', ')}: ${remedy} of your own`;
}

/** @returns {string[]} */
function platformPackages() {
  const manifest = JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8'));
  return Object.keys(manifest.optionalDependencies);
}

module.exports = { BinaryMissingError, locateBinary };
