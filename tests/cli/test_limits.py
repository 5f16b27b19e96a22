"""The built-in limits are listed wherever a person looks for settings."""
import re

import pytest


def built_in(vedette, *words):
    done = vedette("-c", "none", "config", "show", *words)
    assert done.returncode == 0, done.stderr
    return dict(re.findall(r"^built-in rule +(\S+ .*?) {2,}(on|off)$", done.stdout, re.M))


def test_all_are_on_and_named_everywhere(vedette):
    rules = built_in(vedette)
    assert len(rules) >= 8 and set(rules.values()) == {"on"}
    assert any(rule.startswith("cpu_percent > 95 for 10") for rule in rules)
    for words in (("help", "monitor"), ("config", "example")):
        text = vedette(*words).stdout
        assert "Built-in limits" in text
        for rule in rules:
            assert rule in text, (words, rule)
    page = vedette("help", "--man", "monitor").stdout.replace("\\-", "-")
    assert all(rule in page for rule in rules), page[-3000:]


@pytest.mark.parametrize("off", [["cpu_percent"], ["oom_kills", "cpu_temp"], ["all"]])
def test_what_is_switched_off_is_shown_as_off(vedette, tmp_path, off):
    (tmp_path / "v.yaml").write_text(f"without-rule: [{', '.join(off)}]\n")
    for rule, state in built_in(vedette, tmp_path / "v.yaml").items():
        wanted = "off" if off == ["all"] or rule.split()[0] in off else "on"
        assert state == wanted, rule
