// The simulated DingTalk, and what it says of itself under /_sim/.
import { eventually, launch } from './process.mjs';

export const app = { key: 'dingjudge', secret: 'a secret of the judge' };

export async function simulate(...args) {
  const sim = launch(['simulate', '--listen', '127.0.0.1:0', '--app-key', app.key, '--app-secret', app.secret, ...args]);
  const [, address] = await eventually('the simulator listens', () => sim.out.match(/listens on http:\/\/(\S+)\n/), [sim]);
  return new Simulator(sim, address);
}

class Simulator {
  constructor(process, address) {
    this.process = process;
    this.address = address; // host:port
  }

  async ask(path, init) {
    const answer = await fetch(`http://${this.address}/_sim/${path}`, init);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path} ${init?.body ?? ''}: ${text}`);
    return text;
  }

  async lines(path) {
    return (await this.ask(path)).split('\n').filter((line) => line !== '').map((line) => JSON.parse(line));
  }

  post(path, body) { return this.ask(path, { method: 'POST', body: JSON.stringify(body) }); }
  async meetings() { return JSON.parse(await this.ask('meetings')); }
  facts() { return this.lines('facts'); }
  served(since = 0) { return this.lines(`served?since=${since}`); }
  act(act, conferenceId, more) { return this.post('act', { act, conferenceId, ...more }); }
  arm(fault) { return this.post('fault', fault); }
  disarm() { return this.ask('fault', { method: 'DELETE' }); }
  revoke() { return this.post('revoke', {}); }
  stop() { return this.process.stop(); }
}
