// Starts the program under test in a folder of its own and stops it by its process.

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

const READY_MS = 60_000;
const STOP_MS = 15_000;

function binary() {
  const target = process.env.CARGO_TARGET_DIR || join(homedir(), '.cache/ichae-target');
  return process.env.ICHAE || join(target, 'release/ichae');
}

/** The sandbox: TEST, partner `test`, the simulated bank. */
export function sandbox() {
  return start((folder) => ['sandbox', '--listen', '127.0.0.1:0', '--data', join(folder, 'data')]);
}

/** A hub in LIVE. Its bank is the simulated one: no money moves. */
export function live() {
  return start(async (folder) => {
    const file = join(folder, 'ichae.toml');
    const data = JSON.stringify(join(folder, 'data'));
    await writeFile(file, `environment = "live"\ndata = ${data}\n\n`
      + '[server]\nlisten = "127.0.0.1:0"\n\n[bank]\nrail = "simulated"\n');
    return ['serve', '--config', file];
  });
}

/** Runs the program until it says where it listens: `{ base, stop }`. */
async function start(command) {
  const folder = await mkdtemp(join(tmpdir(), 'ichae-e2e-'));
  const child = spawn(binary(), await command(folder), { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((resolve) => {
    child.once('error', resolve);
    child.once('exit', resolve);
  });
  const stop = async () => {
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(late);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    return { base: await address(child), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The address in the first line of the output. */
function address(child) {
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (why) => reject(new Error(`${binary()}: ${why}\n${said}`));
    const late = setTimeout(() => fail('did not say where it listens'), READY_MS);
    const read = (chunk) => {
      said += chunk;
      const found = /^ichae .* on (http:\/\/\S+)$/m.exec(said);
      if (found) {
        clearTimeout(late);
        resolve(found[1]);
      }
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code) => fail(`ended with ${code}`));
  });
}
