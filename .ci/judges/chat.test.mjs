// Judge 5: the markup of chat messages, by those who define it. The requests are
// the golden ones of the forwarder: those of its targets, which hold the names of
// strangers who try to break out, and the samples of its notes.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { Parser } from 'commonmark';
import ts from 'typescript';

const require = createRequire(import.meta.url);
const { AdaptiveCard, SerializationContext, Versions } = require('adaptivecards/dist/adaptivecards.js');

// requests returns what a kind of target sends, by a name for the report.
function requests(kind) {
  const read = (path) => JSON.parse(readFileSync(new URL(`../../forwarder/${path}`, import.meta.url), 'utf8'));
  const named = Object.entries(read(`target/testdata/${kind}.json`));
  for (const language of ['en', 'zh']) {
    read(`note/testdata/${kind}.${language}.json`).forEach((body, i) => named.push([`sample ${i + 1} (${language})`, body]));
  }
  assert.ok(named.length > 10, `there are ${named.length} requests of ${kind}`);
  return named;
}

// nodes returns the types and literals of a CommonMark document.
function nodes(markdown) {
  const seen = [];
  const walker = new Parser().parse(markdown).walker();
  for (let event; (event = walker.next());) {
    if (event.entering) seen.push({ type: event.node.type, literal: event.node.literal ?? '' });
  }
  return seen;
}

// demandOwnMarkup wants nothing in a text but what the forwarder itself writes.
function demandOwnMarkup(name, markdown, tags) {
  const own = ['document', 'paragraph', 'text', 'softbreak', 'linebreak', 'strong', 'list', 'item', 'heading'];
  for (const { type, literal } of nodes(markdown)) {
    if (type === 'html_inline' && tags?.test(literal)) continue;
    assert.ok(own.includes(type), `${name}: ${type} ${literal} in ${markdown}`);
  }
  const bold = nodes(markdown).filter(({ type, literal }) => type === 'text' && literal.includes('**'));
  assert.deepEqual(bold, [], `${name}: a marker does not count in ${markdown}`);
}

test('markdown holds no link, image, emphasis or HTML of a stranger', () => {
  const font = /^(<font color=['"](green|red|grey|info|warning|comment)['"]>|<\/font>)$/;
  const at = /^(<at id=(all|ann)>|<\/at>)$/;
  for (const [name, body] of requests('dingtalk')) {
    if (body.markdown) demandOwnMarkup(`dingtalk, ${name}`, body.markdown.text);
  }
  for (const [name, body] of requests('feishu')) {
    const tags = name === 'mention' ? new RegExp(`${font.source}|${at.source}`) : font;
    for (const { content } of body.card?.body.elements ?? []) demandOwnMarkup(`feishu, ${name}`, content, tags);
  }
  for (const [name, body] of requests('wecom')) {
    // Its quotes and mentions are its own: "> " begins a line, <@id> is no tag of HTML.
    const content = (body.markdown ?? body.markdown_v2)?.content.replace(/^> /gm, '').replace(/<@(all|ann)>/g, '');
    if (content) demandOwnMarkup(`wecom, ${name}`, content, body.markdown ? font : undefined);
  }
  for (const [name, body] of requests('teams')) {
    for (const block of body.attachments[0].content.body) {
      if (block.text) demandOwnMarkup(`teams, ${name}`, block.text, /^<\/?at>$/);
    }
  }
});

test('cards are adaptive cards without a remark', () => {
  for (const [name, body] of requests('teams')) {
    const card = new AdaptiveCard();
    const context = new SerializationContext(Versions.v1_2);
    card.parse(body.attachments[0].content, context);
    const remarks = Array.from({ length: context.eventCount }, (_, i) => context.getEventAt(i).message);
    assert.deepEqual([...remarks, ...card.validateProperties().validationEvents], [], name);
    assert.equal(card.getItemCount(), body.attachments[0].content.body.length, name);
    assert.ok(Buffer.byteLength(JSON.stringify(body)) <= 28 * 1024, name);
  }
});

test("Slack's own types take the blocks, and its limits hold", () => {
  const all = requests('slack');
  const source = "import type { HeaderBlock, SectionBlock } from '@slack/types';\n" +
    all.map(([, body], i) => `export const b${i}: (HeaderBlock | SectionBlock)[] = ${JSON.stringify(body.blocks ?? [])};`).join('\n');
  assert.deepEqual(complaints(source), []);
  assert.notDeepEqual(complaints(source.replace('"mrkdwn"', '"markdown"')), [], 'the judge sees no mistake');
  for (const [name, { text, blocks = [] }] of all) {
    assert.ok(text && blocks.length <= 50, name);
    for (const block of blocks) {
      assert.ok([...block.text.text].length <= (block.type === 'header' ? 150 : 3000), `${name}: ${block.type}`);
    }
    const shown = [text, ...blocks.filter((b) => b.type === 'section').map((b) => b.text.text)].join('\n');
    const bare = shown.replace(/&(amp|lt|gt);/g, '').replace(name === 'mention' ? /<!channel>|<@ann>/g : /$^/, '');
    assert.doesNotMatch(bare, /[<>&]/, `${name}: a link or a mention`);
  }
});

// complaints returns what the compiler says of a source beside this file.
function complaints(source) {
  const file = new URL('slack.judged.ts', import.meta.url).pathname;
  const options = { noEmit: true, strict: true, skipLibCheck: true, module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, types: [] };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.getSourceFile = (name, ...rest) => (name === file ? ts.createSourceFile(name, source, ts.ScriptTarget.Latest) : getSourceFile(name, ...rest));
  host.fileExists = (name) => name === file || fileExists(name);
  return ts.getPreEmitDiagnostics(ts.createProgram([file], options, host)).map((d) => ts.flattenDiagnosticMessageText(d.messageText, '\n'));
}
