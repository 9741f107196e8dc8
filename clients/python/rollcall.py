"""Rosters and attendance from Rollcall's events, with the standard library only.

    rollcall tail --json --since 168h | python3 your_program.py

    import rollcall
    meetings = rollcall.Meetings()
    for line in sys.stdin:
        meetings.apply(json.loads(line))

The fold is that of the Go package consume, and docs/events.md is the contract.
Names and titles are written by strangers: escape them where you show them.
"""

import hashlib

SCHEMA = "rollcall:event:1"
_CAME = {"invited": "invited", "joining": "joining", "joined": "present"}
_GONE = {"left", "kicked_out", "invitation_lapsed", "declined", "join_failed"}
_DEVICES = {
    "mic_opened": ("mic", "open"), "mic_closed": ("mic", "closed"),
    "camera_opened": ("camera", "open"), "camera_closed": ("camera", "closed"),
}
_ROLES = ("host", "coHost", "external", "phone")  # what is known once is never unknown again

REPEATED, APPLIED, ANEW = "repeated", "applied", "anew"


class NewerError(ValueError):
    """An event or a record whose schema this program is too old for."""


class GapError(Exception):
    """Events of a meeting are missing: read its record, and go on from there."""

    def __init__(self, meeting, epoch, want, got):
        super().__init__(f"events of {meeting!r} are missing: {got} came, {want} was next; read its record")
        self.meeting, self.epoch, self.want, self.got = meeting, epoch, want, got


def name(data):
    """The name of a meeting: tenant/conferenceId, of an event's data or a record."""
    return data["tenant"] + "/" + data["conferenceId"]


def as_found(event):
    """Whether the event tells what was there at the first look, and not what happened."""
    return event["data"]["provenance"] == "baseline"


def gone(event):
    """Whether somebody who was in the meeting is so no more."""
    return event["type"] in ("rollcall.participant.left", "rollcall.participant.kicked_out")


def forgotten(meeting, key):
    """The key under which a meeting goes on about somebody who was forgotten."""
    return "forgotten-" + hashlib.sha256((meeting + "\0" + key).encode()).hexdigest()[:32]


class Roster:
    """Who is in one meeting: the fold of its events."""

    def __init__(self, record=None):
        self.epoch = self.sequence = 0
        self.meeting = None  # what the last event says of it as a whole
        self.people = {}  # by key, those who are invited, joining or present
        self.joined = 0  # how many joined, without those found at the first look
        if record:
            self.read(record)

    def read(self, record):
        """Takes the meeting's stored record in the place of what is known."""
        if record["schema"] > 1:
            raise NewerError(f"a record of schema {record['schema']}")
        over = record["untracked"] or record["meeting"]["status"] == "ended"
        self.epoch, self.sequence, self.meeting = record["epoch"], record["sequence"], record["meeting"]
        self.people = {} if over else {p["key"]: dict(p) for p in record["roster"]}

    def apply(self, event):
        """Folds an event: ANEW where it begins another epoch, REPEATED where it
        was applied before. GapError and NewerError change nothing."""
        if "conferenceId" not in event["data"]:
            return REPEATED  # it is of a whole tenant, as rollcall.watch.lost
        if event["dataschema"] != SCHEMA:
            raise NewerError(f"an event of schema {event['dataschema']!r}")
        data, change, want = event["data"], APPLIED, self.sequence + 1
        if data["epoch"] > self.epoch:
            change, want = ANEW, 1
        elif data["epoch"] < self.epoch or data["sequence"] < want:
            return REPEATED
        if data["sequence"] != want:
            raise GapError(name(data), data["epoch"], want, data["sequence"])
        if change == ANEW:
            self.epoch, self.people = data["epoch"], {}
        self.sequence, self.meeting = want, data.get("meeting", self.meeting)
        self._happen(event["type"], data)
        return change

    def _happen(self, kind, data):
        if kind in ("rollcall.meeting.ended", "rollcall.meeting.untracked"):
            self.people = {}
        told, verb = data.get("participant"), kind.rsplit(".", 1)[1]
        if not told or not kind.startswith("rollcall.participant."):
            return
        if verb == "forgotten":
            self._forget(name(data), told["key"])
            return
        person = self.people.get(told["key"])
        if verb in _CAME:  # as of this event; the event shows the person as after its poll
            self.people[told["key"]] = dict(told, attendance=_CAME[verb], mic="closed", camera="closed", rejectDescription="")
            self.joined += verb == "joined" and data["provenance"] != "baseline"
        elif verb in _GONE:
            self.people.pop(told["key"], None)
        elif person and verb in _DEVICES:
            device, state = _DEVICES[verb]
            person[device] = state
        elif person and verb == "renamed":
            person["nick"] = told["nick"]
        elif person and verb == "role_changed":
            person.update({role: told[role] for role in _ROLES if role in told})

    def _forget(self, meeting, pseudonym):
        for key, person in list(self.people.items()):
            if forgotten(meeting, key) == pseudonym:
                del self.people[key]
                self.people[pseudonym] = dict(person, key=pseudonym, userId=pseudonym, nick="", rejectDescription="")

    def present(self):
        """Those who are in the meeting now, sorted by key."""
        return [p for _, p in sorted(self.people.items()) if p["attendance"] == "present"]


class Meetings:
    """The rosters of all meetings, by name. A meeting of which events are missing
    is in gaps until its record is read or another epoch comes."""

    def __init__(self):
        self.rosters, self.gaps = {}, set()

    def apply(self, event):
        """As Roster.apply. What is folded is still that of before a gap."""
        if "conferenceId" not in event["data"]:
            return REPEATED  # it is of a whole tenant, as rollcall.watch.lost
        meeting = name(event["data"])
        try:
            change = self.rosters.setdefault(meeting, Roster()).apply(event)
        except GapError:
            self.gaps.add(meeting)
            raise
        if change == ANEW:
            self.gaps.discard(meeting)
        return change

    def read(self, record):
        """Takes a meeting's stored record in the place of what is known of it,
        unless more of the same poll is on the way: then the next one is awaited."""
        if record["partial"]:
            return
        self.rosters.setdefault(name(record), Roster()).read(record)
        self.gaps.discard(name(record))
