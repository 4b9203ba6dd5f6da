#!/usr/bin/env python3
"""Fills in the expected instants of cron_vectors.txt, independently of the code under test.

It lists every local time that an expression names, day by day, and asks Python's zoneinfo for the instants that show
it: no bit sets, no search for the next value, another reader of the time zone database. Run it after adding a line
(expression, zone, after; tabs between), then check the new instants by eye against the comment above them:

    python3 core/calendar/tests/data/cron_vectors.py
"""

import calendar
import datetime as dt
import pathlib
import sys
from zoneinfo import ZoneInfo

FILE = pathlib.Path(__file__).with_name("cron_vectors.txt")
UTC = dt.timezone.utc
MACROS = {
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}
MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
DAYS = "SUN MON TUE WED THU FRI SAT".split()
COUNT = 5


def number(text, names, first):
    return names.index(text) + first if text in names else int(text)


def plain(field, low, high, names=(), first=0):
    """The values of a list of numbers, ranges and steps."""
    values = set()
    for item in field.split(","):
        span, _, step = item.partition("/")
        if span in "*?":
            a, b = low, high
        elif "-" in span:
            a, b = span.split("-")
            a, b = number(a, names, first), 7 if b == "SUN" else number(b, names, first)
        else:
            a = b = number(span, names, first)
        values |= set(range(a, b + 1, int(step or 1)))
    return values


def weekday(date):
    return date.isoweekday() % 7


def month_days(date):
    last = calendar.monthrange(date.year, date.month)[1]
    return [date.replace(day=d) for d in range(1, last + 1)]


def nearest(days, day):
    """The Monday-Friday of the month with the least distance from its `day`-th."""
    if day > len(days):
        return None
    work = [d for d in days if weekday(d) in range(1, 6)]
    return min(work, key=lambda d: abs(d.day - day))


def day_of_month(field, date):
    days = month_days(date)
    for item in field.split(","):
        if item == "L":
            hit = date == days[-1]
        elif item.startswith("L-"):
            hit = len(days) - date.day == int(item[2:])
        elif item == "LW":
            hit = date == [d for d in days if weekday(d) in range(1, 6)][-1]
        elif item.endswith("W"):
            hit = date == nearest(days, int(item[:-1]))
        else:
            hit = date.day in plain(item, 1, 31)
        if hit:
            return True
    return False


def day_of_week(field, date):
    same = [d for d in month_days(date) if weekday(d) == weekday(date)]
    for item in field.split(","):
        if "#" in item:
            day, nth = item.split("#")
            place = -1 if nth == "L" else int(nth) - 1
            hit = weekday(date) == number(day, DAYS, 0) % 7 and (place < len(same) and same[place] == date)
        elif item.endswith("L"):
            hit = weekday(date) == number(item[:-1], DAYS, 0) % 7 and same[-1] == date
        else:
            hit = weekday(date) in {d % 7 for d in plain(item, 0, 6, DAYS)}
        if hit:
            return True
    return False


def day_matches(dom, dow, date):
    if dom in "*?" and dow in "*?":
        return True
    if dom in "*?":
        return day_of_week(dow, date)
    if dow in "*?":
        return day_of_month(dom, date)
    return day_of_month(dom, date) or day_of_week(dow, date)


def shows(instant, zone, naive):
    return instant.astimezone(zone).replace(tzinfo=None) == naive


def end_of_gap(zone, naive):
    """The first instant after the gap that `naive` lies in, found by walking it minute by minute."""
    instant = naive.replace(tzinfo=zone, fold=1).astimezone(UTC)
    old = instant.astimezone(zone).utcoffset()
    instant = instant.replace(second=0)
    while instant.astimezone(zone).utcoffset() == old:
        instant += dt.timedelta(minutes=1)
    return instant


def instants(zone, naive, repeats):
    first, second = (naive.replace(tzinfo=zone, fold=f).astimezone(UTC) for f in (0, 1))
    hits = [i for i in sorted({first, second}) if shows(i, zone, naive)]
    if repeats:
        return hits
    return hits[:1] or [end_of_gap(zone, naive)]


def spaced(values, size):
    """Whether there is a way to write the values as */n, if they are two or more, or as a-b/n, if they are three or more."""
    whole = [set(range(0, size, n)) for n in range(1, size)]
    parts = [set(range(min(values), max(values) + 1, n)) for n in range(1, size)]
    return len(values) > 1 and values in whole or len(values) > 2 and values in parts


def occurrences(expression, zone, after):
    fields = MACROS.get(expression.lower(), expression).upper().split()
    if len(fields) == 5:
        fields = ["0", *fields]
    second, minute, hour, dom, month, dow = fields
    seconds, minutes, hours = plain(second, 0, 59), plain(minute, 0, 59), plain(hour, 0, 23)
    months = plain(month, 1, 12, MONTHS, 1)
    repeats = spaced(seconds, 60) or spaced(minutes, 60) or spaced(hours, 24)
    found, spare = set(), 0
    date = after.astimezone(zone).date() - dt.timedelta(days=2)
    while True:
        if date.month in months and day_matches(dom, dow, date):
            for h in sorted(hours):
                for m in sorted(minutes):
                    for s in sorted(seconds):
                        naive = dt.datetime(date.year, date.month, date.day, h, m, s)
                        try:
                            found |= {i for i in instants(zone, naive, repeats) if i > after}
                        except OverflowError:
                            pass
        # A later date can come to an earlier instant where the clock jumps, but not by more than two days.
        spare += len(found) >= COUNT
        if spare > 3 or date == dt.date.max:
            return sorted(found)[:COUNT]
        date += dt.timedelta(days=1)


def main():
    lines = []
    for line in FILE.read_text().splitlines():
        if line and not line.startswith("#"):
            expression, zone, after = line.split("\t")[:3]
            hits = occurrences(expression, ZoneInfo(zone), dt.datetime.fromisoformat(after))
            expected = " ".join(h.strftime("%Y-%m-%dT%H:%M:%SZ") for h in hits)
            line = "\t".join([expression, zone, after, expected or "never"])
        lines.append(line)
    FILE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
