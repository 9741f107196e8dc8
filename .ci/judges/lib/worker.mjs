// `rollcall run` with its embedded NATS, and a reader's connection to it.
import { connect } from '@nats-io/transport-node';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, freePort, launch, newDir } from './process.mjs';
import { app } from './simulator.mjs';

export const tenant = 'judge';

export async function work(dingtalk, conferences) {
  const dir = newDir('worker');
  const port = await freePort();
  const file = join(dir, 'rollcall.yaml');
  writeFileSync(file, `data_dir: ${JSON.stringify(join(dir, 'data'))}
nats: {embedded: {listen: "127.0.0.1:${port}", sync: interval}}
tenants:
  - name: ${tenant}
    endpoint: http://${dingtalk}
    auth: {kind: internal, client_id: ${app.key}, client_secret_env: JUDGE_SECRET}
    # Meetings that DingTalk does not know yet must not count as over.
    poll: {schedule: "@every 1s", monthly_calls: unlimited, missing_after_polls: 100}
    track: {conferences: ${JSON.stringify(conferences)}}
http: {listen: "127.0.0.1:0"}
log: {level: debug}
`);
  const worker = launch(['run', '--config', file], { JUDGE_SECRET: app.secret });
  const reader = () => connect({ servers: `127.0.0.1:${port}`, reconnect: false, timeout: 5000 });
  const first = await eventually('the embedded NATS takes readers', () => reader().catch(() => null), [worker]);
  return { worker, reader, first };
}
