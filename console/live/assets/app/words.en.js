const n = (count, one, many) => `${count} ${count === 1 ? one : many}`;
const two = (x) => String(x).padStart(2, '0');

export const en = {
  's': '{0} s', 'min': '{0} min', 'ms': (m, s) => `${m} min ${two(s)} s`, 'h': (h, m) => `${h} h ${two(m)} min`, 'd': '{0} days',
  'by': 'by {0}',
  // whether it is true
  'ok': 'Up to date', 'ok.more': (text) => `what is shown was still true ${text} ago`,
  'some': (old, all) => `${old} of ${n(all, 'meeting is', 'meetings are')} out of date`, 'some.more': 'the rows that say “as of”; the others are up to date',
  'all': 'Out of date', 'all.more': 'nobody has looked lately; each row says as of when it is',
  'none': 'Nobody is looking', 'none.more': 'no worker has told anything yet: is “rollcall run” running?',
  'empty': 'No meetings now', 'empty.more': 'they are being looked for and asked about',
  'reading': 'Reading…', 'reading.more': 'what is stored is being read',
  'cut': 'Out of date: no connection', 'cut.more': 'this page is cut off from Rollcall; what you see is as of {0}', 'cut.never': 'this page does not reach Rollcall',
  'nats': 'Out of date: no NATS', 'nats.more': 'Rollcall does not reach NATS; what you see is as of {0}',
  'paused': 'Paused', 'paused.more': 'nothing is read while the tab is hidden',
  'newer': 'A newer version is there: reload',
  // overview
  'meetings': 'Meetings', 'meeting': 'Meeting', 'since': 'Since', 'present': 'Present', 'mics': 'Microphones', 'known': 'Last known',
  'awaited': (count) => (count > 0 ? `${count} more invited` : ''), 'open': (count) => (count ? `${count} open` : 'none open'), 'ago': '{0} ago', 'asof': 'as of {0}',
  'planned': 'not started', 'planned.at': 'starts {0}', 'first': 'seen since', 'ended': 'ended {0}', 'untracked': 'not tracked since {0}', 'nobody': 'nobody yet',
  'untitled': 'Meeting without a title', 'cameras': (count) => n(count, 'camera', 'cameras'),
  'search': 'Search', 'search.hint': 'title or person, press /', 'tenant': 'Organization', 'label': 'Label', 'every': 'all',
  'shown': (some, all) => (some === all ? n(all, 'meeting', 'meetings') : `${some} of ${n(all, 'meeting', 'meetings')}`), 'nothing': 'Nothing matches.', 'clear': 'Show all',
  'more': 'Show {0} more', 'going': 'Going on', 'over': 'Ended meetings', 'back': 'All meetings',
  'here.present': 'present', 'here.joining': 'joining', 'here.invited': 'invited', 'here.': 'gone', 'mic.on': 'microphone open', 'camera.on': 'camera open',
  // tenants
  'tenants': 'Organizations', 'looked': 'looked at', 'blind': 'nobody looks', 'late': 'late', 'answered': 'last answer', 'next': 'next question', 'in': 'in {0}', 'due': 'due', 'never': 'never',
  'pace': 'asked every {0}', 'tracked': (count) => n(count, 'meeting asked about', 'meetings asked about'),
  'workers': (count, shards) => `${n(count, 'worker', 'workers')}, ${n(shards, 'shard', 'shards')}`, 'workers.none': 'no worker', 'workers.unknown': 'workers not known',
  'budget': 'Calls', 'budget.of': '{0} of {1} calls', 'budget.left': '{0} left', 'budget.gone': '{0} % spent, {1} % of the month gone', 'unlimited': 'unlimited calls',
  'why.ok': 'ok', 'why.throttled': 'DingTalk asks to go slower', 'why.quota': 'the month’s calls are used up', 'why.budget': 'the calls that may be spent are used up',
  'why.auth': 'DingTalk refuses the credentials', 'why.permission': 'a permission is missing', 'why.away': 'DingTalk does not answer', 'why.unreachable': 'DingTalk does not answer',
  'why.blocked': 'DingTalk blocks this address', 'why.refused': 'DingTalk refuses every meeting', 'why.paused': 'too much waits to be stored', 'why.stopped': 'no worker was there',
  'why.silent': 'its workers are silent', 'why.unknown': 'no worker has told anything yet', 'why.since': '{0}, since {1}',
  // feed
  'feed': 'What just happened', 'new': (count) => n(count, 'new', 'new'), 'pausing': 'paused while you read', 'missed': (count) => n(count, 'event more that was', 'events more that were') + ' not sent',
  'type': 'What', 'kind.people': 'people', 'kind.devices': 'microphones, cameras', 'kind.meetings': 'meetings', 'kind.watch': 'who looks', 'person': 'Person', 'filter.meeting': 'Meeting', 'quiet': 'Nothing in the last hour.',
  'participant.invited': '{0} was invited to {1}', 'participant.joining': '{0} is joining {1}', 'participant.joined': '{0} joined {1}', 'participant.left': '{0} left {1}',
  'participant.kicked_out': '{0} was removed from {1}', 'participant.invitation_lapsed': '{0} is not invited to {1} any more', 'participant.declined': '{0} declined {1}', 'participant.join_failed': '{0} could not join {1}',
  'participant.mic_opened': '{0} opened the microphone in {1}', 'participant.mic_closed': '{0} closed the microphone in {1}', 'participant.camera_opened': '{0} opened the camera in {1}', 'participant.camera_closed': '{0} closed the camera in {1}',
  'participant.renamed': '{0} has a new name in {1}', 'participant.role_changed': '{0} has another role in {1}', 'participant.forgotten': 'somebody was forgotten in {1}',
  'meeting.initialized': '{1} is planned', 'meeting.started': '{1} started', 'meeting.title_changed': '{1} has a new title', 'meeting.start_time_changed': '{1} has a new start time',
  'meeting.mute_all_enforced': '{1}: everybody is muted', 'meeting.mute_all_lifted': '{1}: muting everybody is over', 'meeting.mic_muted': '{1} is muted', 'meeting.mic_unmuted': '{1} is not muted any more',
  'meeting.camera_closed': '{1}: cameras are closed', 'meeting.camera_opened': '{1}: cameras may open', 'meeting.ended': '{1} ended', 'meeting.untracked': '{1} is not tracked any more', 'meeting.summarized': '{1}: exact times were read',
  'watch.lost': 'Nobody looks at {1}', 'watch.resumed': 'Somebody looks at {1} again', 'unknown.event': '{0}: {2} in {1}',
  'baseline': 'so at the first look',
  // one meeting
  'people': 'People', 'events': 'Events', 'axis': 'from {0} to {1}', 'legend': 'Legend', 'legend.sure': 'was there', 'legend.window': 'between two looks: came or went somewhere in it', 'legend.mic': 'microphone open', 'legend.camera': 'camera open', 'legend.mark': '✕ removed, ○ declined, ! could not join',
  'who': 'Who', 'state': 'Now', 'stay': 'Stayed', 'when': 'When', 'mic.for': 'Microphone open', 'least': 'at least {0}', 'range': '{0} – {1}', 'zero': 'none', 'what': 'What', 'seq': 'No.', 'prov': 'How known', 'late.head': 'Known how late, and why',
  'prov.baseline': 'first look', 'prov.observed': 'seen', 'prov.inferred': 'inferred', 'prov.reconciled': 'read afterwards',
  'late.baseline': 'it was so at the first look; when it happened is not known', 'late.exact': '{0} late: DingTalk told the exact time, the next answer showed it', 'late.observed': 'at most {0} late: two looks lie that far apart',
  'late.blind': 'at most {0} late: nobody looked meanwhile ({1})', 'late.inferred': 'at most {0} late: came and went between two looks', 'late.reconciled': 'read from DingTalk’s own record afterwards',
  'mark.kicked_out': 'removed', 'mark.declined': 'declined', 'mark.join_failed': 'could not join', 'how.left': 'left', 'how.kicked_out': 'removed', 'how.meeting_ended': 'until the end', 'how.untracked': 'nobody looked any more', 'how.unseen': 'gone at the next look', 'how.': 'still there',
  'media.mute_all': 'Set for the meeting: everybody muted', 'media.mic_muted': 'Set for the meeting: microphones muted', 'media.camera_closed': 'Set for the meeting: cameras closed',
  'partial': 'The first events are no longer stored.', 'cut.events': (count) => `${n(count, 'earlier event is', 'earlier events are')} not listed.`, 'cut.people': (count) => `${n(count, 'more person is', 'more people are')} not shown.`,
  'missing': 'This meeting is not known here', 'missing.more': 'it may have aged out; or the address is wrong', 'failed': 'The meeting’s events cannot be read now; trying again.', 'said': 'said: {0}', 'visit': '{0}: {1} to {2} ({3})', 'until.now': 'now',
  // charts
  'charts': 'Charts', 'chart.age': 'How old what is shown was (seconds)', 'chart.calls': 'Calls of the month', 'median': 'median', 'p95': '95 % are below', 'spent': 'spent', 'even': 'spent evenly', 'chart.none': 'The charts begin a minute after somebody looks.',
  'targets': 'Whom the forwarder tells', 'target': 'Target', 'messages': 'Messages of the month', 'waiting': 'Waiting', 'last.sent': 'Last sent', 'target.ok': 'is told', 'target.trouble': '{0}, since {1}', 'target.waiting': (count, age) => `${n(count, 'event', 'events')}, for ${age}`,
  // kiosk
  'page': 'page {0} of {1}', 'lang.other': '中文', 'health': 'Health', 'kiosk': 'For a wall', 'initials': 'names are hidden',
  'say.ok': (count) => `${n(count, 'meeting', 'meetings')}, up to date`,
};
