"""Answers rollcall verify-consumer:

    rollcall verify-consumer -- python3 clients/python/consumer.py
"""
import json
import sys

import rollcall


def answer(meetings):
    rosters = meetings.rosters.items()
    return {
        "rosters": {name: list(r.people.values()) for name, r in rosters},
        "gaps": sorted(meetings.gaps),
        "joined": {name: r.joined for name, r in rosters},
    }


def main():
    meetings = rollcall.Meetings()
    for line in sys.stdin:
        line = json.loads(line)
        try:
            if "ask" in line:
                print(json.dumps(answer(meetings)), flush=True)
            elif "record" in line:
                meetings.read(line["record"])
            else:
                meetings.apply(line)
        except (rollcall.GapError, rollcall.NewerError) as wrong:
            print(wrong, file=sys.stderr)


if __name__ == "__main__":
    main()
