"""An anomaly that holds until it is adopted is one alert, whatever the pace of the rows."""
import datetime
import random

import pytest
from monitor import replay


def record(path, pace_s, begin, length, rows):
    rng = random.Random(pace_s)
    start = datetime.datetime(2026, 3, 10, tzinfo=datetime.timezone.utc)
    with open(path, "w") as out:
        print("timestamp,cpu_percent,memory_percent,disk_read_mb", file=out)
        for i in range(rows):
            on = begin <= i < begin + length
            time = (start + datetime.timedelta(seconds=pace_s * i)).isoformat()
            values = ((95 if on else 10) + rng.gauss(0, 1), (85 if on else 40)
                      + rng.gauss(0, 0.5), (80 if on else 1) + abs(rng.gauss(0, 0.3)))
            print(time, *(f"{v:.2f}" for v in values), sep=",", file=out)


@pytest.mark.takes(15)
@pytest.mark.parametrize("pace_s, length", [(10, 180), (60, 30), (60, 60), (300, 6), (300, 15)])
def test_one_alert_and_no_overlap(tmp_path, pace_s, length):
    record(tmp_path / "in.csv", pace_s, 700, length, 700 + length + 50)
    v, _, _, alerts = replay(tmp_path / "data", tmp_path / "in.csv", "--no-desktop",
                             "--no-dashboard", "--without-rule", "all")
    assert alerts == 1, v.said()
    assert v.err.text.count("CRITICAL") == 1, v.said()
    assert "ENDED" in v.err.text, v.said()
