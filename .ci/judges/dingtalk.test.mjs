// Judge 1: DingTalk's official TypeScript SDK reads the simulator's answers
// into its own types, and they must say what the simulator knows to be true.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DingTalk, conference } from './lib/dingtalk.mjs';
import { eventually } from './lib/process.mjs';
import { app, simulate } from './lib/simulator.mjs';

const statusCode = { initialized: 0, ended: 1, started: 2 };
const attendCode = { invited: 1, joining: 2, present: 3, failed: 4, kicked_out: 5, left: 6 };
const deviceCode = { closed: 1, open: 2 };
const inRoster = ['invited', 'joining', 'present'];
const ms = (time) => (time ? Date.parse(time) : 0);

let sim, ding;
let ended; // ids of ended meetings by the style of their end

before(async () => {
  sim = await simulate('--rate', '0', '--meetings', '8', '--people', '14', '--seed', '11', '--hostile');
  ding = new DingTalk(sim.address);
  await ding.login();
  await liven();
}, { timeout: 120_000 });
after(() => sim?.stop());

// liven makes what chance may have left out: every code, every bit, every end.
async function liven() {
  // Those that wait would begin by themselves, between a question and its check.
  for (const m of await sim.meetings()) {
    if (m.status === 'initialized') await sim.act('start', m.conferenceId);
  }
  await sim.act('create', 'not started', { title: 'later' });
  await sim.act('invite', 'not started', { nick: 'somebody' });
  const [first, second] = (await sim.meetings()).filter((m) => m.status === 'started').map((m) => m.conferenceId);
  const mei = { userId: 'union/+ "mei"&<b>', nick: '美 \u202e<script>' };
  await sim.act('invite', first, mei);
  await sim.act('join', first, mei);
  await sim.act('mic_on', first, mei);
  await sim.act('camera_on', first, mei);
  await sim.act('call', first, { ...mei, device: 2 });
  await sim.act('join', second, mei);
  await sim.act('leave', second, mei);
  await sim.act('join', second, mei);
  for (const [act, nick] of [['decline', 'd'], ['fail', 'f'], ['withdraw', 'w']]) {
    await sim.act('invite', first, { nick });
    await sim.act(act, first, { nick, ...(act === 'decline' && { rejectDescription: '"busy" \\ </p>\u2028' }) });
  }
  for (const act of ['leave', 'kick']) {
    await sim.act('join', second, { userId: act });
    await sim.act(act, second, { userId: act });
  }
  await sim.act('mute_all', second);
  await sim.act('close_cameras', second);
  await sim.act('mute_mics', first);
  await sim.act('rename', first, { title: 'a "title" & <i>\u0000\u2029😀' });
  ended = { status: 'ended status', omitted: 'ended omitted', resource_closed: 'ended resource_closed' };
  for (const id of Object.values(ended)) {
    await sim.act('create', id, { title: id });
    await sim.act('join', id, { userId: 'last' });
  }
  const began = Date.now();
  await eventually('the meetings have lasted', () => Date.now() > began + 10);
  for (const [endStyle, id] of Object.entries(ended)) await sim.act('end', id, { endStyle });
}

const plain = (model) => JSON.parse(JSON.stringify(model));

// truthOfBatch is a meeting of /_sim/meetings as the batch query must show it.
const truthOfBatch = (m) => ({
  conferenceId: m.conferenceId, title: m.title, startTime: ms(m.startTime), status: statusCode[m.status], mediaStatus: m.mediaStatus,
  userList: m.people.filter((p) => p.listed).map((p) => ({
    userId: p.userId, nick: p.nick, attendStatus: attendCode[p.attendance], rejectDescription: p.rejectDescription ?? '',
    cameraStatus: deviceCode[p.camera] ?? 0, micStatus: deviceCode[p.mic] ?? 0,
  })),
});

// shown fills in what an answer may leave out because it says nothing.
const shown = (info) => {
  const m = plain(info);
  return {
    ...m, startTime: m.startTime ?? 0, title: m.title ?? '',
    userList: (m.userList ?? []).map((u) => ({ ...u, rejectDescription: u.rejectDescription ?? '' })),
  };
};

describe('answers', { timeout: 120_000 }, () => {
  test('the batch query says what is true, of every meeting', async () => {
    const truth = (await sim.meetings()).filter((m) => !Object.values(ended).includes(m.conferenceId));
    truth.push((await sim.meetings()).find((m) => m.conferenceId === ended.status));
    const ids = truth.map((m) => m.conferenceId);
    const answer = await ding.batch([...ids, 'nobody knows this', ended.omitted]);
    assert.equal(answer.statusCode, 200);
    assert.ok(answer instanceof conference.QueryConferenceInfoBatchResponse);
    assert.ok(answer.body.infos.every((i) => i instanceof conference.QueryConferenceInfoBatchResponseBodyInfos));
    assert.deepEqual(answer.body.infos.map(shown), truth.map(truthOfBatch));

    const people = answer.body.infos.flatMap((i) => i.userList);
    assert.deepEqual([...new Set(people.map((p) => p.attendStatus))].sort(), [1, 2, 3, 4, 5, 6], 'every attendance must have been seen');
    assert.ok(people.some((p) => p.micStatus === 2) && people.some((p) => p.cameraStatus === 2), 'something must be open');
    assert.ok(people.some((p) => p.userId === ''), 'a stranger must be there');
    assert.deepEqual([...new Set(answer.body.infos.map((i) => i.status))].sort(), [0, 1, 2], 'every status must have been seen');
    assert.ok(answer.body.infos.some((i) => (i.mediaStatus & 6) === 6), 'bits of the media status must be set');
    const last = (await sim.served()).at(-1);
    assert.deepEqual([last.operation, last.status, last.asked], ['query', 200, [...ids, 'nobody knows this', ended.omitted]]);
  });

  test('the single meeting says what is true, also after the end', async () => {
    const facts = await sim.facts();
    for (const m of await sim.meetings()) {
      const { body } = await ding.meeting(m.conferenceId);
      const info = body.confInfo;
      assert.ok(info instanceof conference.QueryConferenceInfoResponseBodyConfInfo);
      const lines = linesOf(facts, m.conferenceId);
      assert.deepEqual(
        [info.conferenceId, info.title, info.status, info.startTime ?? 0, info.endTime ?? 0, info.confDuration ?? 0],
        [m.conferenceId, m.title, statusCode[m.status], ms(m.startTime), ms(m.endTime), m.endTime ? ms(m.endTime) - ms(m.startTime) : 0]);
      assert.deepEqual(
        [info.activeNum, info.attendNum, info.invitedNum],
        [lines.filter((l) => l.attendance === 'present').length, lines.filter((l) => l.joins > 0).length, lines.filter((l) => l.asked).length]);
      const { body: room } = await ding.room(info.roomCode);
      assert.ok(room.conferenceList.some((c) => c.conferenceId === m.conferenceId && c.title === m.title && c.status === info.status));
    }
  });

  test('the members are the visits, and who was asked and never came, page by page', async () => {
    const facts = await sim.facts();
    for (const m of await sim.meetings()) {
      const asked = Date.now();
      const { body } = await ding.members(m.conferenceId, { maxResults: 500 });
      const answered = Date.now();
      const visits = visitsOf(facts, m.conferenceId);
      assert.equal(body.totalCount, visits.length);
      assert.deepEqual(
        body.memberModels.map((p) => [p.conferenceId, p.unionId, p.userNick, p.attendStatus ?? 0, p.joinTime ?? 0, p.leaveTime ?? 0]),
        visits.map((v) => [m.conferenceId, v.line.userId, v.line.nick, attendCode[v.how] ?? 0, v.joinTime, v.leaveTime]));
      body.memberModels.forEach((p, n) => {
        const v = visits[n];
        const goesOn = v.joinTime > 0 && v.leaveTime === 0;
        // Times are cut to milliseconds.
        assert.ok(p.duration >= (goesOn ? asked : v.leaveTime) - v.joinTime - 1, `${p.unionId}: ${p.duration} ms are too few`);
        assert.ok(p.duration <= (goesOn ? answered : v.leaveTime) - v.joinTime + 1, `${p.unionId}: ${p.duration} ms are too many`);
      });
      const paged = await pages((page) => ding.members(m.conferenceId, page), (b) => b.memberModels, 3);
      assert.deepEqual(paged.map((p) => [p.unionId, p.userNick]), visits.map((v) => [v.line.userId, v.line.nick]));
    }
  });

  test("the organization's meetings are those that go on, page by page", async () => {
    const want = (await sim.meetings()).filter((m) => m.status === 'started');
    assert.ok(want.length > 3);
    const { body } = await ding.organization({ maxResults: 100 });
    assert.ok(body.onGoingConfList.every((c) => c instanceof conference.QueryOrgConferenceListResponseBodyOnGoingConfList));
    assert.deepEqual([body.totalCount, body.hasMore], [want.length, false]);
    const told = (list) => list.map((c) => [c.conferenceId, c.title, c.status, c.startTime]);
    const true_ = want.map((m) => [m.conferenceId, m.title, 2, ms(m.startTime)]);
    assert.deepEqual(told(body.onGoingConfList), true_);
    assert.deepEqual(told(await pages((page) => ding.organization(page), (b) => b.onGoingConfList, 2)), true_);
  });

  test("a user's meetings are those the user is in or asked to", async () => {
    const running = (await sim.meetings()).filter((m) => m.status === 'started');
    const users = [...new Set(running.flatMap((m) => m.people.map((p) => p.userId)))].filter((id) => id !== '');
    assert.ok(users.length > 10);
    for (const user of [...users, 'nobody']) {
      const best = new Map(running.map((m) => [m.conferenceId, Math.max(0, ...m.people
        .filter((p) => p.listed && p.userId === user && inRoster.includes(p.attendance)).map((p) => attendCode[p.attendance]))]));
      const want = [...best].filter(([, code]) => code > 0);
      const { body } = await ding.user(user);
      assert.deepEqual(body.onGoingConfIdList, want.map(([id]) => id));
      assert.deepEqual(
        Object.entries(body.memberModelMap).map(([id, p]) => [id, p.attendStatus, p.unionId]).sort(),
        want.map(([id, code]) => [id, code, user]).sort());
    }
  });
});

// linesOf folds the facts of a meeting to the lines of its people, by number.
function linesOf(facts, id) {
  const lines = [];
  for (const f of facts.filter((fact) => fact.conferenceId === id && fact.person)) {
    const l = (lines[f.person.line - 1] ??= { joins: 0, asked: false, visits: [] });
    const wasPresent = l.attendance === 'present';
    Object.assign(l, { userId: f.person.userId, nick: f.person.nick, attendance: f.person.attendance });
    if (f.type === 'participant.invited' || f.type === 'participant.joining') l.asked = true;
    if (f.type === 'participant.joined') { l.joins++; l.visits.push({ line: l, fact: f.number, joinTime: ms(f.at), leaveTime: 0, how: 'present' }); }
    if (wasPresent && l.attendance !== 'present') Object.assign(l.visits.at(-1), { leaveTime: ms(f.at), how: l.attendance });
  }
  return lines.filter(Boolean);
}

// visitsOf are the visits of all lines in the order in which they began, and behind
// them those who were asked and never came.
function visitsOf(facts, id) {
  const lines = linesOf(facts, id);
  return [
    ...lines.flatMap((l) => l.visits).sort((a, b) => a.fact - b.fact),
    ...lines.filter((l) => l.asked && l.joins === 0).map((line) => ({ line, joinTime: 0, leaveTime: 0, how: line.attendance })),
  ];
}

// pages reads a list as documented: until there is no token.
async function pages(ask, list, maxResults) {
  const all = [];
  for (let nextToken, turn = 0; turn < 200; turn++) {
    const { body } = await ask({ maxResults, ...(nextToken && { nextToken }) });
    assert.ok(list(body).length <= maxResults);
    all.push(...list(body));
    nextToken = body.nextToken;
    if (!nextToken) return all;
  }
  throw new Error('the pages do not end');
}

describe('token flows', { timeout: 60_000 }, () => {
  const suite = { suiteKey: 'suitesimulator', suiteSecret: 'simulator-suite-secret', authCorpId: 'dingcorpsimulator', suiteTicket: 'simulator-suite-ticket' };
  const unified = { clientId: app.key, clientSecret: app.secret, grantType: 'client_credentials' };
  for (const [name, ask, life] of [
    ['internal', (d) => d.internal(app.key, app.secret), (b) => b.expireIn],
    ['corp', (d) => d.corp(suite), (b) => b.expireIn],
    ['unified', (d) => d.unified('dingcorpsimulator', unified), (b) => b.expiresIn],
  ]) {
    test(`a token of the ${name} flow is good`, async () => {
      const own = new DingTalk(sim.address);
      const { body } = await ask(own);
      assert.equal(life(body), 7200);
      own.token = body.accessToken;
      assert.equal((await own.organization()).statusCode, 200);
    });
  }
  const wrong = 'not the secret';
  for (const [name, status, code, ask] of [
    ['a wrong secret', 400, 'invalidClientIdOrSecret', (d) => d.login(wrong)],
    ['a wrong suite secret', 400, 'invalidSuiteKey', (d) => d.corp({ ...suite, suiteSecret: wrong })],
    ['an old suite ticket', 400, 'invalidSuiteTicket', (d) => d.corp({ ...suite, suiteTicket: wrong })],
    ['an organization that did not consent', 400, 'invalidAuthInfo', (d) => d.corp({ ...suite, authCorpId: 'other' })],
    ['a wrong secret of the unified flow', 400, 'invalid.client', (d) => d.unified('dingcorpsimulator', { ...unified, clientSecret: wrong })],
    ['an organization that is not the app\'s', 401, 'unauthorized.client', (d) => d.unified('other', unified)],
  ]) {
    test(`${name} is ${code}`, () => refused(ask(new DingTalk(sim.address)), status, code));
  }
});

// refused wants the SDK's own error, with the request id the simulator noted.
async function refused(call, status, code) {
  const error = await call.then(() => assert.fail(`${code}: the call was answered`), (e) => e);
  assert.deepEqual([error.code, error.data?.statusCode], [code, status], error.stack);
  const served = (await sim.served()).at(-1);
  assert.deepEqual([served.code, served.status], [code, status]);
  assert.ok(served.requestId.length > 20 && error.message.endsWith(`request id: ${served.requestId}`), error.message);
  return error;
}

describe('errors', { timeout: 60_000 }, () => {
  test('a token that was never given out is InvalidAuthentication, with 400', async () => {
    const own = new DingTalk(sim.address);
    own.token = 'made up';
    await refused(own.batch(['x']), 400, 'InvalidAuthentication');
    await refused(own.organization(), 400, 'InvalidAuthentication');
  });

  test('a token that was revoked is InvalidAuthentication; a new one is good', async () => {
    const own = new DingTalk(sim.address);
    await own.login();
    await sim.revoke();
    await refused(own.meeting(ended.status), 400, 'InvalidAuthentication');
    await own.login();
    assert.equal((await own.meeting(ended.status)).statusCode, 200);
    await ding.login();
  });

  test('an unknown meeting is roomNotFound, with 404', async () => {
    await refused(ding.meeting('nobody knows this'), 404, 'roomNotFound');
    await refused(ding.members('nobody knows this'), 404, 'roomNotFound');
    await refused(ding.room('0'), 404, 'roomNotFound');
  });

  test('one closed meeting refuses the whole batch', async () => {
    await refused(ding.batch([ended.status, ended.resource_closed]), 400, 'resourceClose');
  });

  test('a batch of nothing is paramsError', () => refused(ding.batch([]), 400, 'paramsError'));

  // The documented table, written down a second time on purpose.
  const documented = [
    [400, 'InvalidAuthentication'],
    [403, 'Forbidden.AccessDenied.QpsLimitForAppkeyAndApi'], [403, 'Forbidden.AccessDenied.QpsLimitForApi'],
    [403, 'Forbidden.AccessDenied.QpsLimitForSuitekeyAndOrgAndApi'], [403, 'Forbidden.AccessDenied.ApiCountLimitForOrg'],
    [403, 'Forbidden.AccessDenied.AccessTokenPermissionDenied'], [403, 'Forbidden.AccessDenied.IpNotInWhiteList'], [403, 'noPermission'],
    [404, 'waterLimitError'], [404, 'permissionError'], [404, 'roomNotFound'],
    [400, 'resourceClose'], [400, 'confClosed'], [400, 'roomClosed'], [400, 'orgAccessForbidden'], [400, 'unknownUserError'],
    [400, 'paramsError'], [400, 'paramsTitleError'], [400, 'paramError'], [400, 'param.error'], [400, 'missingRoomId'],
    [500, 'systemError'], [500, 'system.error'], [500, 'request.often'],
  ];
  for (const [status, code] of documented) {
    test(`${code} arrives with ${status}, in both spellings`, async () => {
      for (const capitals of [false, true]) {
        await sim.arm({ fault: code, operation: 'query', times: 1, capitals });
        const error = await refused(ding.batch([ended.status]), status, code);
        assert.equal(Object.hasOwn(error.data, 'Code'), capitals);
        const scopes = code.endsWith('AccessTokenPermissionDenied') ? ['VideoConference.Conference.Read'] : undefined;
        assert.deepEqual(error.accessDeniedDetail?.requiredScopes, scopes);
      }
      assert.equal((await ding.batch([ended.status])).body.infos.length, 1, 'the fault must be over');
    });
  }
});
