"""Keeps the rosters of all meetings: reads events as lines, answers when it is asked."""
import json
import sys

CAME = {"participant.invited": "invited", "participant.joining": "joining", "participant.joined": "present"}
GONE = {"participant.left", "participant.kicked_out", "participant.invitation_lapsed", "participant.declined", "participant.join_failed"}
OVER = {"meeting.ended", "meeting.untracked"}
meetings = {}  # by tenant/conferenceId


def meeting(data):
    new = {"epoch": 0, "sequence": 0, "people": {}, "gap": False, "joined": 0}
    return meetings.setdefault(data["tenant"] + "/" + data["conferenceId"], new)


def apply(event):
    if event["dataschema"] != "rollcall:event:1":
        return print("an event of a newer schema", file=sys.stderr)
    if "conferenceId" not in event["data"]:
        return  # it is of a whole tenant, as watch.lost
    data, kind, m = event["data"], event["type"].removeprefix("rollcall."), meeting(event["data"])
    if data["epoch"] > m["epoch"]:
        m.update(epoch=data["epoch"], sequence=0, people={}, gap=False)
    if data["epoch"] < m["epoch"] or data["sequence"] <= m["sequence"]:
        return  # it was applied before
    if data["sequence"] > m["sequence"] + 1:
        m["gap"] = True  # the record will tell
        return
    m["sequence"] = data["sequence"]
    if kind in OVER:
        m["people"].clear()
    elif kind in GONE:
        m["people"].pop(data["participant"]["key"], None)
    elif kind in CAME:
        m["people"][data["participant"]["key"]] = CAME[kind]
        m["joined"] += kind == "participant.joined" and data["provenance"] != "baseline"


def read(record):
    if record["partial"]:
        return  # more of the same poll is on the way
    people = {p["key"]: p["attendance"] for p in record["roster"]}
    meeting(record).update(epoch=record["epoch"], sequence=record["sequence"], people=people, gap=False)


def answer():
    rosters = {name: [{"key": k, "attendance": a} for k, a in m["people"].items()] for name, m in meetings.items()}
    gaps = [name for name, m in meetings.items() if m["gap"]]
    joined = {name: m["joined"] for name, m in meetings.items()}
    print(json.dumps({"rosters": rosters, "gaps": gaps, "joined": joined}), flush=True)


for line in sys.stdin:
    line = json.loads(line)
    if "ask" in line:
        answer()
    elif "record" in line:
        read(line["record"])
    else:
        apply(line)
