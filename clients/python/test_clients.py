"""python3 -m unittest, in this folder; the scenarios are played by rollcall verify-consumer."""
import json
import pathlib
import unittest
from datetime import datetime, timedelta, timezone

import attendance
import rollcall

GOLDEN = pathlib.Path(__file__).parents[2] / "contract" / "golden"
START = datetime(2026, 11, 23, 2, tzinfo=timezone.utc)


def at(seconds):
    return START + timedelta(seconds=seconds)


def event(sequence, kind, look, key="", epoch=1, provenance="observed", **changes):
    """An event of the poll that was asked at look and answered a second later."""
    text = lambda t: t.isoformat().replace("+00:00", "Z")
    data = {
        "tenant": "acme", "conferenceId": "6f1a", "epoch": epoch, "sequence": sequence, "poll": {"index": 1, "count": 1},
        "meeting": {"status": "started"}, "reason": "", "provenance": provenance,
        "window": {"after": None if provenance == "baseline" else text(at(look - 15)), "before": text(at(look + 1))},
    }
    if key:
        data["participant"] = {"key": key, "userId": key, "nick": key, "attendance": "present", "mic": "closed", "camera": "closed"}
    data.update(changes)
    return {"dataschema": rollcall.SCHEMA, "type": "rollcall." + kind, "data": data}


class RosterTest(unittest.TestCase):
    def test_every_golden_event_is_read(self):
        files = [f for f in GOLDEN.glob("*.json") if f.name not in ("record.json", "status.json") and not f.name.startswith("watch.")]
        self.assertGreater(len(files), 20)
        for file in files:
            golden = json.loads(file.read_text())
            golden["data"]["sequence"] = 1
            roster = rollcall.Roster()
            self.assertEqual(roster.apply(golden), rollcall.ANEW, file.name)
            self.assertEqual(roster.apply(golden), rollcall.REPEATED, file.name)

    def test_every_golden_event_is_folded(self):
        known = set(rollcall._CAME) | rollcall._GONE | set(rollcall._DEVICES) | {"renamed", "role_changed", "forgotten"}
        members = set()
        for file in GOLDEN.glob("participant.*.json"):
            golden = json.loads(file.read_text())
            self.assertIn(golden["type"].rsplit(".", 1)[1], known, file.name)
            members |= set(golden["data"]["participant"])
        folded = {"key", "userId", "nick", "attendance", "mic", "camera", "rejectDescription", "session", *rollcall._ROLES}
        self.assertEqual(members, folded, "does an event alter what is new here? Then Roster folds it")

    def test_who_is_forgotten_has_no_name(self):
        golden = json.loads((GOLDEN / "participant.forgotten.json").read_text())
        pseudonym = golden["data"]["participant"]["key"]
        roster, visits = rollcall.Roster(), attendance.Attendance()
        for fold in roster, visits:
            fold.apply(event(1, "participant.joined", 15, "u42", provenance="baseline"))
            fold.apply(dict(golden, data=dict(golden["data"], epoch=1, sequence=2)))
        self.assertEqual([(p["key"], p["userId"], p["nick"]) for p in roster.people.values()], [(pseudonym, pseudonym, "")])
        self.assertEqual([(v.key, v.user_id, v.nick) for v in visits.visits(at(60))], [(pseudonym, pseudonym, "")])

    def test_an_event_of_a_tenant_changes_no_meeting(self):
        for file in GOLDEN.glob("watch.*.json"):
            golden = json.loads(file.read_text())
            for fold in rollcall.Roster(), attendance.Attendance(), rollcall.Meetings():
                self.assertEqual(fold.apply(golden), rollcall.REPEATED, file.name)

    def test_a_record_and_what_follows(self):
        record = json.loads((GOLDEN / "record.json").read_text())
        roster = rollcall.Roster(record)
        self.assertEqual([p["key"] for p in roster.present()], ["anon:Tel#1", "u42"])
        left = event(record["sequence"] + 1, "participant.left", 15, "u42", epoch=record["epoch"])
        self.assertEqual(roster.apply(left), rollcall.APPLIED)
        self.assertTrue(rollcall.gone(left))
        self.assertEqual(list(roster.people), ["anon:Tel#1"])

    def test_a_gap_changes_nothing(self):
        meetings = rollcall.Meetings()
        meetings.apply(event(1, "participant.joined", 0, "ann"))
        with self.assertRaises(rollcall.GapError) as raised:
            meetings.apply(event(3, "participant.left", 30, "ann"))
        self.assertEqual((raised.exception.want, raised.exception.got), (2, 3))
        self.assertEqual(meetings.gaps, {"acme/6f1a"})
        self.assertEqual(list(meetings.rosters["acme/6f1a"].people), ["ann"])
        meetings.apply(event(1, "meeting.started", 45, epoch=2))
        self.assertFalse(meetings.gaps)

    def test_a_record_of_a_part_is_awaited(self):
        record = json.loads((GOLDEN / "record.json").read_text())
        meetings = rollcall.Meetings()
        meetings.gaps.add(rollcall.name(record))
        self.assertIsNotNone(record["partial"])
        meetings.read(record)
        self.assertEqual((meetings.rosters, meetings.gaps), ({}, {rollcall.name(record)}))
        meetings.read(dict(record, partial=None))
        self.assertFalse(meetings.gaps)

    def test_an_unknown_type_counts_in_the_sequence(self):
        for fold in rollcall.Roster(), attendance.Attendance():
            fold.apply(event(1, "participant.joined", 0, "ann"))
            self.assertEqual(fold.apply(event(2, "participant.waved", 15)), rollcall.APPLIED)
            self.assertEqual(fold.apply(event(3, "participant.left", 30, "ann")), rollcall.APPLIED)

    def test_a_newer_schema_is_refused(self):
        newer = dict(event(1, "meeting.started", 0), dataschema="rollcall:event:2")
        self.assertRaises(rollcall.NewerError, rollcall.Roster().apply, newer)


class AttendanceTest(unittest.TestCase):
    """The cases of consume/attendance_test.go."""

    def test_visits_and_their_bounds(self):
        a = attendance.Attendance()
        for e in [
            event(1, "participant.joined", 15, "ann", provenance="baseline"),
            event(2, "participant.joined", 30, "bob"), event(3, "participant.mic_opened", 30, "bob"),
            event(4, "participant.mic_closed", 45, "bob"), event(5, "participant.mic_opened", 45, "ann"),
            event(6, "participant.left", 60, "bob"),
            event(7, "participant.mic_closed", 75, "ann"), event(8, "participant.joined", 75, "bob"),
        ]:
            a.apply(e)
            a.apply(e)
        bounds = lambda least, most: attendance.Bounds(timedelta(seconds=least), None if most is None else timedelta(seconds=most))
        window = lambda after, before: attendance.Window(at(after), at(before))
        got = [(v.key, v.joined, v.left, v.how, v.stay, v.mic) for v in a.visits(at(76))]
        self.assertEqual(got, [
            ("ann", attendance.Window(None, at(16)), None, "", bounds(44, None), bounds(14, 46)),
            ("bob", window(15, 31), window(45, 61), "left", bounds(14, 46), bounds(0, 31)),
            ("bob", window(60, 76), None, "", bounds(0, 16), bounds(0, 0)),
        ])

    def test_visits_over_epochs(self):
        a = attendance.Attendance()
        for e in [
            event(1, "participant.joined", 15, "ann", provenance="baseline"),
            event(2, "participant.joined", 15, "bob", provenance="baseline"),
            event(3, "meeting.untracked", 30),
        ]:
            a.apply(e)
        first = a.visits(at(40))[0]
        self.assertEqual((first.how, first.left), ("untracked", attendance.Window(at(15))))
        a.apply(event(1, "participant.joined", 45, "ann", epoch=2, provenance="baseline"))
        a.apply(event(2, "participant.joined", 60, "bob", epoch=2))
        got = [(v.key, v.how, v.provenance) for v in a.visits(at(61))]
        self.assertEqual(got, [("ann", "", "baseline"), ("bob", "untracked", "baseline"), ("bob", "", "observed")])
        self.assertEqual(a.visits(at(61))[1].left.before, at(46))


if __name__ == "__main__":
    unittest.main()
