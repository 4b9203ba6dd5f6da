#!/usr/bin/env python3
"""Writes the last column of rrule_vectors.txt: the first runs of each rule, in UTC.

By python-dateutil and zoneinfo, which share nothing with the code under test. Local times are turned into instants as RFC 5545, 3.3.5
says: in a gap with the offset from before it, in an overlap the first pass (`fold=0` means both). Two at one instant are one. Hourly and
finer rules follow real time: in a gap they have no run, in an overlap those of both passes.

    pip install python-dateutil==2.9.0 && python3 rrule_vectors.py
"""

import re
import sys
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

RUNS = 12
FILE = Path(__file__).with_name("rrule_vectors.txt")


def instants(rule: str, zone: ZoneInfo, start: datetime):
    # dateutil wants UNTIL in the start's own form, so it is applied here. A rule's COUNT goes by instants.
    until = re.search(r";?UNTIL=(\w+)Z", rule)
    count = re.search(r";?COUNT=(\d+)", rule)
    plain = re.sub(r";?(UNTIL=\w+|COUNT=\d+)", "", rule)
    last = until and datetime.strptime(until[1], "%Y%m%dT%H%M%S").replace(tzinfo=timezone.utc)
    found, seen = [], set()
    # A run in a gap may come after one that the clock shows later: gather a few more, then sort.
    for local in islice(rrulestr(plain, dtstart=start), 400):
        passes = [local.replace(tzinfo=zone, fold=fold).astimezone(timezone.utc) for fold in (0, 1)]
        if re.search("FREQ=(HOURLY|MINUTELY|SECONDLY)", rule):
            # One in a gap comes back as another time.
            runs = [at for at in passes if at.astimezone(zone).replace(tzinfo=None) == local]
        else:
            runs = passes[:1]
        for at in runs:
            if at not in seen:
                seen.add(at)
                found.append(at)
    found.sort()
    found = found[: int(count[1])] if count else found
    return [at for at in found if not last or at <= last][:RUNS]


def main() -> int:
    out = []
    for line in FILE.read_text().splitlines():
        if not line or line.startswith("#"):
            out.append(line)
            continue
        rule, zone, start = line.split("\t")[:3]
        local = datetime.strptime(start, "%Y%m%dT%H%M%S")
        runs = instants(rule, ZoneInfo(zone), local)
        out.append("\t".join([rule, zone, start, " ".join(at.strftime("%Y-%m-%dT%H:%M:%SZ") for at in runs)]))
    FILE.write_text("\n".join(out) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
