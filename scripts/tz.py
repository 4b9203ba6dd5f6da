#!/usr/bin/env python3
"""Writes the table of time zones from IANA's database, as PyPI's package `tzdata` carries it (compiled, TZif of RFC 8536).

    scripts/tz.py            writes core/calendar/src/tz.bin from the newest release, and the data that its test expects
    scripts/tz.py --check    prints whether a newer release exists than the one that is built in; exit status 1 if so

This script parses the data for the table itself. The data that the test expects come from another parser, Python's `zoneinfo`.
"""

import argparse
import datetime as dt
import hashlib
import importlib
import io
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = ROOT / "core/calendar/src/tz.bin"
EXPECTED = ROOT / "core/calendar/tests/data/tz_changes.txt"

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
# 1800-01-01T00:00:00Z: `BEGIN` in core/calendar/src/tz/file.rs.
BEGIN = -5_364_662_400
# The first change of any clock is on the last day of 1844.
FROM = int((dt.datetime(1844, 1, 1, tzinfo=dt.timezone.utc) - EPOCH).total_seconds())
UNTIL = int((dt.datetime(2101, 1, 1, tzinfo=dt.timezone.utc) - EPOCH).total_seconds())
FAR_UNTIL = int((dt.datetime(2520, 1, 1, tzinfo=dt.timezone.utc) - EPOCH).total_seconds())
DAY = 86_400
FAR_STEP = 40 * DAY


class Package:
    """The wheel of `tzdata`."""

    def __init__(self):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
            subprocess.run([*command, "--dest", folder, "tzdata"], check=True)
            (wheel,) = pathlib.Path(folder).glob("*.whl")
            self.wheel = zipfile.ZipFile(io.BytesIO(wheel.read_bytes()))
        (self.release,) = re.findall(r'IANA_VERSION = "(\w+)"', self.wheel.read("tzdata/__init__.py").decode())

    def names(self):
        """Returns all names but `Factory`, which means a clock that nobody has set."""
        return [name for name in self.wheel.read("tzdata/zones").decode().split() if name != "Factory"]

    def zone(self, name):
        return self.wheel.read(f"tzdata/zoneinfo/{name}")


def read_tzif(data):
    """Returns the first offset, the changes as (instant, offset), and the footer."""

    def header(at):
        assert data[at : at + 4] == b"TZif" and data[at + 4 : at + 5] >= b"2"
        return struct.unpack(">6L", data[at + 20 : at + 44])

    isut, isstd, leap, times, types, chars = header(0)
    at = 44 + times * 5 + types * 6 + chars + leap * 8 + isstd + isut
    isut, isstd, leap, times, types, chars = header(at)
    assert leap == 0, "leap seconds"
    at += 44
    instants = struct.unpack(f">{times}q", data[at : at + 8 * times])
    at += 8 * times
    kinds = data[at : at + times]
    at += times
    offsets = [struct.unpack(">lBB", data[at + 6 * n : at + 6 * n + 6])[0] for n in range(types)]
    at += types * 6 + chars + isstd + isut
    footer = data[at:].decode()
    assert footer.startswith("\n") and footer.endswith("\n")
    changes = []
    before = offsets[0]
    for instant, kind in zip(instants, kinds):
        assert instant > BEGIN
        if offsets[kind] != before:
            changes.append((instant, offsets[kind]))
        before = offsets[kind]
    last = instants[-1] if instants else None
    return offsets[0], changes, last, footer.strip("\n")


NAME = r"(?:<[^>]+>|[A-Za-z]+)"
TIME = r"[+-]?\d+(?::\d+){0,2}"
FOOTER = re.compile(rf"^{NAME}({TIME})(?:{NAME}({TIME})?,M(\d+)\.(\d)\.(\d)(?:/({TIME}))?,M(\d+)\.(\d)\.(\d)(?:/({TIME}))?)?$")


def seconds(text):
    sign = -1 if text.startswith("-") else 1
    parts = [int(part) for part in text.lstrip("+-").split(":")]
    return sign * sum(part * unit for part, unit in zip(parts, (3600, 60, 1)))


def read_footer(text):
    """Returns the last offset, and the yearly rule: the other offset and the dates of both changes."""
    match = FOOTER.match(text)
    assert match, f"an unknown footer: {text}"
    standard, summer, *dates = match.groups()
    # In the footer, west of UTC is positive.
    standard = -seconds(standard)
    if dates[0] is None:
        return standard, None
    summer = standard + 3600 if summer is None else -seconds(summer)
    begin, end = dates[:4], dates[4:]
    date = lambda d: (int(d[0]), int(d[1]), int(d[2]), seconds(d[3]) if d[3] else 7200)
    return standard, (summer, date(begin), date(end))


def number(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def duration(value):
    value, unit = (value // 3600, 0) if value % 3600 == 0 else (value, 1)
    zigzag = value * 2 if value >= 0 else -value * 2 - 1
    return number(zigzag << 1 | unit)


def text(value):
    return number(len(value)) + value.encode()


def table(data):
    first, changes, last, footer = read_tzif(data)
    standard, rule = read_footer(footer)
    out = bytearray()
    if rule:
        summer, begin, end = rule
        # The rule applies from the last listed instant on, even if the offset does not change there.
        out += number(1) + duration(last - BEGIN) + duration(standard) + duration(summer)
        for month, week, weekday, time in (begin, end):
            out += number(month) + number(week) + number(weekday) + duration(time)
    else:
        assert (changes[-1][1] if changes else first) == standard, "the footer does not agree with the last change"
        out += number(0)
    out += duration(first)
    before = BEGIN
    for instant, offset in changes:
        out += duration(instant - before) + duration(offset)
        before = instant
    return bytes(out)


def pack(package):
    # UTC has the number 0, which does not change with the other names.
    names = ["UTC"] + [name for name in sorted(package.names()) if name != "UTC"]
    tables, out = [], bytearray(text(package.release) + number(len(names)))
    for name in names:
        packed = table(package.zone(name))
        if packed not in tables:
            tables.append(packed)
        out += text(name) + number(tables.index(packed))
    out += number(len(tables))
    for packed in tables:
        out += number(len(packed)) + packed
    return bytes(out)


def digest(lines):
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:16]


def by_zoneinfo(data):
    """Returns the number of clock changes, a digest of them, and a digest of offsets far ahead, all read by Python's zoneinfo."""
    zone = importlib.import_module("zoneinfo").ZoneInfo.from_file(io.BytesIO(data))

    def offset(instant):
        delta = (EPOCH + dt.timedelta(seconds=instant)).astimezone(zone).utcoffset()
        return delta.days * DAY + delta.seconds

    changes, old = [f"{offset(FROM)}\n"], offset(FROM)
    for before in range(FROM, UNTIL, DAY):
        new = offset(before + DAY)
        if new != old:
            low, high = before, before + DAY
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == old else (low, middle)
            changes.append(f"{high} {new}\n")
            old = new
    far = [f"{offset(instant)}\n" for instant in range(UNTIL, FAR_UNTIL, FAR_STEP)]
    return len(changes) - 1, digest(changes), digest(far)


def expected(package):
    known, lines = {}, [f"# {package.release}: zone, changes of its clock from 1844 to 2100, digest of these, digest of offsets to 2519\n"]
    for name in sorted(package.names()):
        data = package.zone(name)
        if data not in known:
            known[data] = by_zoneinfo(data)
        lines.append("\t".join(map(str, (name, *known[data]))) + "\n")
    return "".join(lines)


def built_in():
    data = TABLE.read_bytes()
    return data[1 : 1 + data[0]].decode()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    package = Package()
    if arguments.check:
        if built_in() == package.release:
            print(f"time zones: {package.release} is built in, and is the newest release")
            return 0
        print(f"time zones: {built_in()} is built in, {package.release} is out: run `make tz`")
        return 1
    TABLE.write_bytes(pack(package))
    EXPECTED.write_text(expected(package))
    print(f"time zones: {package.release}, {TABLE.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
