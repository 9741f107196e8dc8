"""Who was in one meeting, and when: the fold of its events over all its epochs.

    visits = attendance.Attendance()
    for event in events_of_one_meeting:
        visits.apply(event)
    for visit in visits.visits(datetime.now(timezone.utc)): ...

Rollcall polls, so that everything has a window: it happened after the one time
(None: before anybody looked) and by the other (None: nobody has looked since).
What opens and closes again between two looks is not seen by anybody.
"""
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone

import rollcall

NONE = timedelta(0)
_EARLIEST = datetime.min.replace(tzinfo=timezone.utc)


@dataclass(frozen=True)
class Window:
    after: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True)
class Bounds:
    """The least and the most that a time can be; most is None where it has no bound."""
    least: timedelta = NONE
    most: timedelta | None = NONE

    def __add__(self, other):
        unbounded = self.most is None or other.most is None
        return Bounds(self.least + other.least, None if unbounded else self.most + other.most)


def _between(start, end):
    least = max(NONE, (end.after or _EARLIEST) - start.before)
    return Bounds(least, None if start.after is None else max(least, end.before - start.after))


@dataclass
class _Device:
    opened: Window | None = None  # None: it is closed
    total: Bounds = Bounds()

    def turn(self, opened, window):
        if opened and not self.opened:
            self.opened = window
        elif not opened and self.opened:
            self.total, self.opened = self.until(window), None

    def until(self, window):
        return self.total + _between(self.opened, window) if self.opened else self.total


@dataclass
class Visit:
    """One stay of one person. how: left, kicked_out, meeting_ended; untracked
    where nobody looks any more, unseen where a new epoch found them gone; "" while
    they are there, when left is None. stay, mic and camera are Bounds."""
    key: str
    user_id: str
    nick: str
    joined: Window
    provenance: str
    left: Window | None = None
    how: str = ""
    stay: Bounds = Bounds()
    mic: Bounds = Bounds()
    camera: Bounds = Bounds()
    _cut: bool = field(default=False, repr=False)  # nobody has looked since
    _devices: dict = field(default_factory=lambda: {"mic": _Device(), "camera": _Device()}, repr=False)

    def _leave(self, window, how):
        if self.left is None:
            for device in self._devices.values():
                device.turn(False, window)
            self.left, self.how = window, how


class Attendance:
    """The visits of one meeting."""

    def __init__(self):
        self.roster = rollcall.Roster()
        self._visits = []  # as they began
        self._last = {}  # of each key
        self._sure = None  # the latest look before an event

    def apply(self, event):
        """As Roster.apply."""
        change = self.roster.apply(event)
        if change == rollcall.REPEATED:
            return change
        data, kind = event["data"], event["type"].removeprefix("rollcall.")
        window = Window(*(_time(data["window"][end]) for end in ("after", "before")))
        if change == rollcall.ANEW:
            self._cut("unseen", self._sure)
        if window.after and (self._sure is None or window.after > self._sure):
            self._sure = window.after
        if kind == "meeting.untracked":
            self._cut("untracked", window.after)
        elif kind == "meeting.ended":
            for visit in self._visits:
                visit._leave(window, "meeting_ended")
        elif kind.startswith("participant.") and "participant" in data:
            self._person(kind.removeprefix("participant."), data, window)
        last_of_poll = data["poll"]["index"] == data["poll"]["count"]
        if kind != "meeting.untracked" and (not rollcall.as_found(event) or last_of_poll):
            self._missed(window.before)
        return change

    def _person(self, verb, data, window):
        person = data["participant"]
        if verb == "forgotten":
            self._forget(rollcall.name(data), person["key"])
            return
        visit = self._last.get(person["key"])
        if verb == "joined":
            self._join(data, visit, window)
        elif visit is None or visit.left is not None:
            return
        elif verb == "left":
            visit._leave(window, "meeting_ended" if data["reason"] == "meeting_ended" else "left")
        elif verb == "kicked_out":
            visit._leave(window, "kicked_out")
        elif verb in ("mic_opened", "mic_closed", "camera_opened", "camera_closed"):
            device, turned = verb.split("_")
            visit._devices[device].turn(turned == "opened", window)
        elif verb == "renamed":
            visit.nick = person["nick"]

    def _forget(self, meeting, pseudonym):
        for visit in self._visits:
            if rollcall.forgotten(meeting, visit.key) == pseudonym:
                if visit.key in self._last:
                    self._last[pseudonym] = self._last.pop(visit.key)
                visit.key, visit.user_id, visit.nick = pseudonym, pseudonym, ""

    def _join(self, data, last, window):
        if last and last._cut and data["provenance"] == "baseline":  # it goes on
            blind = Bounds(NONE, window.before - (last.left.after or _EARLIEST))
            last._cut, last.how, last.left = False, "", None
            for device in last._devices.values():
                device.total += blind
        elif last is None or last.left is not None:
            person = data["participant"]
            visit = Visit(person["key"], person["userId"], person["nick"], window, data["provenance"])
            self._visits.append(visit)
            self._last[visit.key] = visit

    def _cut(self, how, sure):
        for visit in self._visits:
            if visit.left is None:
                known = [t for t in (sure, visit.joined.after) if t]
                visit._leave(Window(max(known, default=None)), how)
                visit._cut = True

    def _missed(self, before):
        for visit in self._visits:
            if visit._cut:
                visit._cut, visit.left = False, replace(visit.left, before=before)

    def visits(self, now):
        """All stays so far, sorted by key and then as they began; of those who
        are there the times are counted until now."""
        told = []
        for visit in self._visits:
            left = visit.left or Window(self._sure)
            left = replace(left, before=left.before or now)
            mic, camera = (visit._devices[d].until(left) for d in ("mic", "camera"))
            told.append(replace(visit, stay=_between(visit.joined, left), mic=mic, camera=camera))
        return sorted(told, key=lambda visit: visit.key)


def _time(text):
    return text and datetime.fromisoformat(text.replace("Z", "+00:00"))
