from __future__ import annotations

import re

import pendulum
import pytest
from periodiq import cron

from app.schedule import spelt_out


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("*/10 * * * *", "0,10,20,30,40,50 * * * *"),
        ("0 3 * * 0", "0 3 * * 7"),
        ("0 3 * * 7", "0 3 * * 7"),
        ("0 3 * * sun", "0 3 * * 7"),
        ("0 3 * * SUN-tue", "0 3 * * 1,2,7"),
        ("0 3 * * 0-4", "0 3 * * 1,2,3,4,7"),
        ("0 3 * * 0,7", "0 3 * * 7"),
        ("0 3 1 jan,Jul *", "0 3 1 1,7 *"),
        ("30-45/5,59  3\t* * *", "30,35,40,45,59 3 * * *"),
        ("0 0 29 2 *", "0 0 29 2 *"),
        ("0 0 31 2 1", "0 0 31 2 1"),
        ("@weekly", "0 0 * * 7"),
        ("@Daily", "0 0 * * *"),
    ],
)
def test_a_schedule_is_spelt_out(written: str, meant: str) -> None:
    assert spelt_out(written) == meant
    assert spelt_out(meant) == meant


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ("60 * * * *", "minute '60': use 0 to 59"),
        ("0 24 * * *", "hour '24': use 0 to 23"),
        ("0 0 0 * *", "day '0': use 1 to 31"),
        ("0 0 * 0 *", "month '0': use 1 to 12"),
        ("0 0 * 13 *", "month '13'"),
        ("0 0 * * 8", "weekday '8': use 0 to 7"),
        ("9-8 * * * *", "the lower number first"),
        ("1,9-8 * * * *", "the lower number first"),
        ("0 0 * * fri-mon", "the lower number first"),
        ("*/0 * * * *", "at least 1"),
        ("5/10 * * * *", "a step follows"),
        ("0 0 30 2 *", "no month '2' has a day '30'"),
        ("0 0 31 2,4,jun *", "no month '2,4,jun' has a day '31'"),
        ("0 0 * * monday", "weekday 'monday': use numbers"),
        ("-1 * * * *", "use numbers"),
        (", * * * *", "use numbers"),
        ("* * * *", "use five fields"),
        ("0 * * * * *", "use five fields"),
        ("@reboot", "use five fields"),
        ("", "use five fields"),
    ],
)
def test_what_never_comes_is_refused_by_name(written: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=re.escape(wrong)):
        spelt_out(written)


@pytest.mark.parametrize(
    ("written", "runs"),
    [
        ("0 3 * * sun", ["2026-11-29T03:00", "2026-12-06T03:00"]),
        ("@weekly", ["2026-11-29T00:00", "2026-12-06T00:00"]),
        ("50-59/9 23 1,3 dec *", [f"2026-12-0{day}T23:5{end}" for day in (1, 3) for end in (0, 9)]),
        ("0 12 6 * mon", ["2026-11-30T12:00", "2026-12-06T12:00"]),
    ],
)
def test_periodiq_runs_a_schedule_when_it_was_meant_to(written: str, runs: list[str]) -> None:
    schedule, first = cron(spelt_out(written)), pendulum.datetime(2026, 11, 28)
    minutes = (first.add(minutes=minute) for minute in range(9 * 24 * 60))
    assert [at.format("YYYY-MM-DDTHH:mm") for at in minutes if schedule.validate(at)] == runs
