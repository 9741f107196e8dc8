// Processes of rollcall, and waiting for what they do.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

// The longest that anything is waited for; no measure of how fast anything is.
const patience = 60_000;

// The directory that .ci/judges/run removes when it ends.
export const scratch = process.env.JUDGES_DIR;
if (!scratch) throw new Error('JUDGES_DIR is not set: start .ci/judges/run');

export const newDir = (name) => mkdtempSync(join(scratch, `${name}-`));

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

// launch starts rollcall with arguments; what it writes is kept.
export function launch(args, env = {}) {
  const child = spawn(join(scratch, 'rollcall'), args, {
    cwd: newDir('cwd'), env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const it = { child, out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => { it.out += text; });
  child.stderr.setEncoding('utf8').on('data', (text) => { it.err += text; });
  it.gone = once(child, 'close').then(([code, signal]) => { running.delete(child); return { code, signal }; });
  // stop ends it in order, and gives how it ended.
  it.stop = async () => {
    child.kill('SIGTERM');
    const last = setTimeout(() => child.kill('SIGKILL'), patience);
    const end = await it.gone;
    clearTimeout(last);
    return end;
  };
  it.alive = () => running.has(child);
  return it;
}

// eventually waits until check gives something that is true, and gives it.
export async function eventually(what, check, among = [], limit = patience) {
  const deadline = Date.now() + limit;
  for (;;) {
    const got = await check();
    if (got) return got;
    const dead = among.find((it) => !it.alive());
    if (dead) throw new Error(`${what}: the process ended before; it wrote\n${dead.err.slice(-3000)}`);
    if (Date.now() > deadline) {
      const said = among.map((it) => it.err.slice(-3000)).join('\n');
      throw new Error(`waited ${limit / 1000} s in vain: ${what}\n${said}`);
    }
    await pause(25);
  }
}

// freePort gives a port of the loopback that nobody listens on.
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
