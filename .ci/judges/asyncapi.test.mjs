// Judge 4: the AsyncAPI project's own parser reads the document of the contract,
// with the schemas that it refers to.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { Parser } from '@asyncapi/parser';

const path = fileURLToPath(new URL('../../contract/asyncapi.json', import.meta.url));

test('contract/asyncapi.json is a valid AsyncAPI 3.0 document without remarks', async () => {
  const { document, diagnostics } = await new Parser().parse(readFileSync(path, 'utf8'), { source: path });
  const serious = diagnostics.filter((d) => d.severity <= 1).map((d) => `${d.path.join('.')}: ${d.message}`);
  assert.deepEqual(serious, []);
  assert.equal(document.version(), '3.0.0');
  const named = document.allMessages().all().map((m) => m.name());
  const schemas = readdirSync(new URL('../../contract/schemas/', import.meta.url)).map((file) => file.replace(/\.json$/, ''));
  assert.deepEqual([...new Set(named)].sort(), schemas.sort(), 'each schema is the payload of a message');
  for (const message of document.allMessages().all()) {
    const payload = message.payload().json();
    assert.equal((payload.schema ?? payload).title, message.name());
  }
  assert.ok(document.json()['x-jetstream'].stream);
});
