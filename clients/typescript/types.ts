// Code generated from contract/schemas by go generate ./contract. DO NOT EDIT.

export interface Attendee {
  cameraOpenMs: Bounds;
  coHost?: boolean;
  external?: boolean;
  host?: boolean;
  key: string;
  micOpenMs: Bounds;
  nick: string;
  phone?: boolean;
  userId: string;
  visits: Visit[];
}

export interface Bounds {
  max: number | null;
  min: number;
}

export interface Data {
  conferenceId: string;
  epoch: number;
  exact: boolean;
  labels: { [name: string]: string };
  meeting: Meeting;
  poll: Poll;
  provenance: "baseline" | "observed" | "inferred" | "reconciled";
  sequence: number;
  tenant: string;
  window: Window;
}

export interface Envelope {
  datacontenttype: "application/json";
  dataschema: "rollcall:event:1";
  epoch: string;
  id: string;
  partitionkey: string;
  sequence: string;
  source: string;
  specversion: "1.0";
  subject: string;
  tenant: string;
  time: string;
}

export type Event =
  | MeetingCameraClosed
  | MeetingCameraOpened
  | MeetingEnded
  | MeetingInitialized
  | MeetingMicMuted
  | MeetingMicUnmuted
  | MeetingMuteAllEnforced
  | MeetingMuteAllLifted
  | MeetingStartTimeChanged
  | MeetingStarted
  | MeetingSummarized
  | MeetingTitleChanged
  | MeetingUntracked
  | ParticipantCameraClosed
  | ParticipantCameraOpened
  | ParticipantDeclined
  | ParticipantForgotten
  | ParticipantInvitationLapsed
  | ParticipantInvited
  | ParticipantJoinFailed
  | ParticipantJoined
  | ParticipantJoining
  | ParticipantKickedOut
  | ParticipantLeft
  | ParticipantMicClosed
  | ParticipantMicOpened
  | ParticipantRenamed
  | ParticipantRoleChanged;

export interface Media {
  cameraClosed: boolean;
  code: number;
  micMuted: boolean;
  muteAll: boolean;
}

export interface Meeting {
  endTime?: string;
  media: Media;
  present: number;
  startTime: string | null;
  status: "initialized" | "started" | "ended";
  title: string;
}

export interface MeetingCameraClosed extends Envelope {
  data: Data & { reason: ""; };
  type: "rollcall.meeting.camera_closed";
}

export interface MeetingCameraOpened extends Envelope {
  data: Data & { reason: ""; };
  type: "rollcall.meeting.camera_opened";
}

export interface MeetingEnded extends Envelope {
  data: Data & { reason: "status" | "resource_closed" | "vanished"; };
  type: "rollcall.meeting.ended";
}

export interface MeetingInitialized extends Envelope {
  data: Data & { reason: ""; };
  type: "rollcall.meeting.initialized";
}

export interface MeetingMicMuted extends Envelope {
  data: Data & { reason: ""; };
  type: "rollcall.meeting.mic_muted";
}

export interface MeetingMicUnmuted extends Envelope {
  data: Data & { reason: ""; };
  type: "rollcall.meeting.mic_unmuted";
}

export interface MeetingMuteAllEnforced extends Envelope {
  data: Data & { reason: ""; };
  type: "rollcall.meeting.mute_all_enforced";
}

export interface MeetingMuteAllLifted extends Envelope {
  data: Data & { reason: ""; };
  type: "rollcall.meeting.mute_all_lifted";
}

export interface MeetingStartTimeChanged extends Envelope {
  data: Data & { reason: ""; };
  type: "rollcall.meeting.start_time_changed";
}

export interface MeetingStarted extends Envelope {
  data: Data & { reason: "" | "reopened"; };
  type: "rollcall.meeting.started";
}

export interface MeetingSummarized extends Envelope {
  data: Data & { reason: ""; summary?: Summary; };
  type: "rollcall.meeting.summarized";
}

export interface MeetingTitleChanged extends Envelope {
  data: Data & { reason: ""; };
  type: "rollcall.meeting.title_changed";
}

export interface MeetingUntracked extends Envelope {
  data: Data & { reason: "" | "operator" | "expired" | "unknown_meeting"; };
  type: "rollcall.meeting.untracked";
}

export interface Memory {
  attendance: "invited" | "joining" | "present" | "failed" | "kicked_out" | "left" | "";
  camera?: "open" | "closed" | "";
  coHost?: boolean;
  external?: boolean;
  failed?: number;
  host?: boolean;
  key: string;
  kickedOut?: number;
  left?: number;
  mic?: "open" | "closed" | "";
  nick?: string;
  phone?: boolean;
  rejectDescription?: string;
  session?: number;
  userId?: string;
}

export interface Moment {
  after?: string | null;
  at?: string | null;
  before?: string | null;
}

export interface PartialPoll {
  provenance: "baseline" | "observed" | "inferred" | "reconciled";
  windowAfter: string | null;
}

export interface Participant {
  attendance: "invited" | "joining" | "present" | "failed" | "kicked_out" | "left";
  camera: "open" | "closed";
  coHost?: boolean;
  external?: boolean;
  host?: boolean;
  key: string;
  mic: "open" | "closed";
  nick: string;
  phone?: boolean;
  rejectDescription: string;
  session: number;
  userId: string;
}

export interface ParticipantCameraClosed extends Envelope {
  data: Data & { participant: Participant; reason: ""; };
  type: "rollcall.participant.camera_closed";
}

export interface ParticipantCameraOpened extends Envelope {
  data: Data & { participant: Participant; reason: ""; };
  type: "rollcall.participant.camera_opened";
}

export interface ParticipantDeclined extends Envelope {
  data: Data & { participant: Participant; reason: ""; };
  type: "rollcall.participant.declined";
}

export interface ParticipantForgotten extends Envelope {
  data: Data & { participant: { key: string; }; reason: ""; };
  type: "rollcall.participant.forgotten";
}

export interface ParticipantInvitationLapsed extends Envelope {
  data: Data & { participant: Participant; reason: "" | "meeting_ended"; };
  type: "rollcall.participant.invitation_lapsed";
}

export interface ParticipantInvited extends Envelope {
  data: Data & { participant: Participant; reason: ""; };
  type: "rollcall.participant.invited";
}

export interface ParticipantJoinFailed extends Envelope {
  data: Data & { participant: Participant; reason: ""; };
  type: "rollcall.participant.join_failed";
}

export interface ParticipantJoined extends Envelope {
  data: Data & { participant: Participant; reason: ""; };
  type: "rollcall.participant.joined";
}

export interface ParticipantJoining extends Envelope {
  data: Data & { participant: Participant; reason: ""; };
  type: "rollcall.participant.joining";
}

export interface ParticipantKickedOut extends Envelope {
  data: Data & { participant: Participant; reason: ""; };
  type: "rollcall.participant.kicked_out";
}

export interface ParticipantLeft extends Envelope {
  data: Data & { participant: Participant; reason: "left" | "vanished" | "called_again" | "meeting_ended"; };
  type: "rollcall.participant.left";
}

export interface ParticipantMicClosed extends Envelope {
  data: Data & { participant: Participant; reason: ""; };
  type: "rollcall.participant.mic_closed";
}

export interface ParticipantMicOpened extends Envelope {
  data: Data & { participant: Participant; reason: ""; };
  type: "rollcall.participant.mic_opened";
}

export interface ParticipantRenamed extends Envelope {
  data: Data & { participant: Participant; reason: ""; };
  type: "rollcall.participant.renamed";
}

export interface ParticipantRoleChanged extends Envelope {
  data: Data & { participant: Participant; reason: ""; };
  type: "rollcall.participant.role_changed";
}

export interface Person {
  attendance: "invited" | "joining" | "present";
  camera: "open" | "closed";
  coHost?: boolean;
  external?: boolean;
  host?: boolean;
  key: string;
  mic: "open" | "closed";
  nick: string;
  phone?: boolean;
  rejectDescription: string;
  session: number;
  userId: string;
}

export interface Poll {
  count: number;
  index: number;
}

export interface Status {
  at: string;
  lastGoodPoll: string | null;
  lastPass: string | null;
  pace: string;
  schema: 1;
  setAside?: number;
  shards?: { lookedAt: string | null; }[];
  state: "ok" | "throttled" | "quota" | "auth" | "away";
  tenant: string;
  tracked: number;
}

export interface StoredRecord {
  conferenceId: string;
  endReason: "status" | "resource_closed" | "vanished" | "" | "operator" | "expired" | "unknown_meeting";
  endedAt: string | null;
  epoch: number;
  erased?: string[];
  forgotten?: boolean;
  labels: { [name: string]: string };
  meeting: Meeting;
  memory: Memory[];
  misses: number;
  observedAt: string | null;
  partial: PartialPoll | null;
  poll: number;
  rolesAt?: string | null;
  roster: Person[];
  schema: 1;
  sequence: number;
  statusUnknown: boolean;
  summarized: boolean;
  tenant: string;
  term: number;
  unlisted?: boolean;
  untracked: boolean;
}

export interface Summary {
  attended: number;
  complete: boolean;
  durationMs: number;
  endedAt: Moment;
  participants: Attendee[];
  peak: { at: { after: string | null; before: string | null; }; present: number; };
  startedAt: Moment;
  truncated: number;
}

export interface Visit {
  how: "left" | "kicked_out" | "meeting_ended";
  joined: Moment;
  left: Moment;
  provenance: "baseline" | "observed" | "inferred" | "reconciled";
}

export interface WatchData {
  epoch: number;
  provenance: "baseline" | "observed" | "inferred" | "reconciled";
  reason: "throttled" | "blocked" | "quota" | "budget" | "auth" | "permission" | "unreachable" | "refused" | "paused" | "stopped";
  sequence: number;
  shard: number;
  shards: number;
  tenant: string;
  window: Window;
}

export interface WatchEnvelope {
  datacontenttype: "application/json";
  dataschema: "rollcall:event:1";
  epoch: string;
  id: string;
  partitionkey: string;
  sequence: string;
  source: string;
  specversion: "1.0";
  tenant: string;
  time: string;
}

export type WatchEvent =
  | WatchLost
  | WatchResumed;

export interface WatchLost extends WatchEnvelope {
  data: WatchData & { };
  type: "rollcall.watch.lost";
}

export interface WatchResumed extends WatchEnvelope {
  data: WatchData & { };
  type: "rollcall.watch.resumed";
}

export interface Window {
  after: string | null;
  before: string;
}
