// An empty folder into which the tarballs are installed with a cold cache, and commands that find no network there.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export const DIST = process.env['COUNTERSIGN_DIST'] ?? fileURLToPath(new URL('../../../target/dist', import.meta.url));
const ALONE = ['--map-root-user', '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'];
/** Whether a command can be given a network of its own that has loopback and nothing else. */
export const CAN_BE_ALONE = spawnSync('unshare', [...ALONE, 'true']).status === 0;

/** @param {string} name of a package without its version */
export function tarball(name) {
  const found = readdirSync(DIST).filter((file) => file.startsWith(`${name}-`) && /-\d[^-]*\.tgz$/.test(file));
  const own = found.filter((file) => /^-\d/.test(file.slice(name.length)));
  if (own.length !== 1) throw new Error(`${DIST} has ${own.length} tarballs of ${name}: run cargo xtask dist --only npm`);
  return join(DIST, String(own[0]));
}

export class EmptyFolder {
  path = mkdtempSync(join(tmpdir(), 'empty-'));
  seconds = 0;

  /** @param {string} name @param {string} content */
  write(name, content) {
    writeFileSync(join(this.path, name), content);
  }

  /**
   * Installs our tarballs and these packages, with nothing cached.
   *
   * @param {string[]} packages
   */
  async install(...packages) {
    const started = process.hrtime.bigint();
    const ours = [tarball('countersign'), tarball(`countersign-${process.platform}-${process.arch}`)];
    const cache = join(this.path, '.cache');
    const told = await this.run('npm', ['install', '--no-audit', '--no-fund', '--cache', cache, ...ours, ...packages]);
    if (told.code !== 0) throw new Error(told.output);
    this.seconds = Number(process.hrtime.bigint() - started) / 1e9;
  }

  /**
   * Runs a command that reaches nothing but this machine, where that can be had.
   *
   * @param {string} program
   * @param {string[]} args
   */
  alone(program, args) {
    return CAN_BE_ALONE ? this.run('unshare', [...ALONE, program, ...args]) : this.run(program, args);
  }

  /** @param {string} program @param {string[]} args */
  async run(program, args) {
    // Neither a binary of the checkout nor the test runner above may reach what is tested.
    const ours = /^(COUNTERSIGN_|NODE_TEST_CONTEXT$|npm_)/;
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
    const child = spawn(program, args, { cwd: this.path, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const code = new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
    const [out, error] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return { code: await code, output: out + error };
  }

  remove() {
    rmSync(this.path, { recursive: true, force: true });
  }
}
