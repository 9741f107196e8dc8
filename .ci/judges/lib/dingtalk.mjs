// DingTalk's own client, one call a function. It speaks HTTP by default.
import { createRequire } from 'node:module';
import { app } from './simulator.mjs';

// The SDK is CommonJS whose exports node cannot list.
const require = createRequire(import.meta.url);
const conference = require('@alicloud/dingtalk/conference_1_0');
const oauth2 = require('@alicloud/dingtalk/oauth2_1_0');
const { Config } = require('@alicloud/openapi-client');
const { RuntimeOptions } = require('@alicloud/tea-util');

export { conference, oauth2 };

export class DingTalk {
  constructor(address) {
    const config = new Config({ protocol: 'http', endpoint: address });
    this.oauth = new oauth2.default(config);
    this.meetings = new conference.default(config);
    this.token = '';
  }

  get runtime() { return new RuntimeOptions({ autoretry: false, connectTimeout: 10_000, readTimeout: 30_000 }); }

  // login takes the token flow of an internal app.
  async login(secret = app.secret) {
    const answer = await this.internal(app.key, secret);
    this.token = answer.body.accessToken;
    return answer;
  }

  internal(appKey, appSecret) {
    return this.oauth.getAccessTokenWithOptions(new oauth2.GetAccessTokenRequest({ appKey, appSecret }), {}, this.runtime);
  }

  corp(fields) {
    return this.oauth.getCorpAccessTokenWithOptions(new oauth2.GetCorpAccessTokenRequest(fields), {}, this.runtime);
  }

  unified(corpId, fields) {
    return this.oauth.getTokenWithOptions(corpId, new oauth2.GetTokenRequest(fields), {}, this.runtime);
  }

  headers(Headers) { return new Headers({ xAcsDingtalkAccessToken: this.token }); }

  batch(conferenceIdList) {
    return this.meetings.queryConferenceInfoBatchWithOptions(
      new conference.QueryConferenceInfoBatchRequest({ conferenceIdList }), this.headers(conference.QueryConferenceInfoBatchHeaders), this.runtime);
  }

  // The SDK puts ids into paths as they are: whoever calls it must escape them.
  meeting(id) {
    return this.meetings.queryConferenceInfoWithOptions(
      encodeURIComponent(id), this.headers(conference.QueryConferenceInfoHeaders), this.runtime);
  }

  members(id, page = {}) {
    return this.meetings.queryConferenceMembersWithOptions(
      encodeURIComponent(id), new conference.QueryConferenceMembersRequest(page), this.headers(conference.QueryConferenceMembersHeaders), this.runtime);
  }

  organization(page = {}) {
    return this.meetings.queryOrgConferenceListWithOptions(
      new conference.QueryOrgConferenceListRequest(page), this.headers(conference.QueryOrgConferenceListHeaders), this.runtime);
  }

  user(unionId) {
    return this.meetings.queryUserOnGoingConferenceWithOptions(
      new conference.QueryUserOnGoingConferenceRequest({ unionId }), this.headers(conference.QueryUserOnGoingConferenceHeaders), this.runtime);
  }

  room(code, page = {}) {
    return this.meetings.queryConferenceInfoByRoomCodeWithOptions(
      code, new conference.QueryConferenceInfoByRoomCodeRequest(page), this.headers(conference.QueryConferenceInfoByRoomCodeHeaders), this.runtime);
  }
}
