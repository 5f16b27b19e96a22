"""Completion, in the shells themselves."""
import os
import shutil
import subprocess

import pytest


def script(vedette, shell, tmp_path):
    done = vedette("completion", shell)
    assert done.returncode == 0
    path = tmp_path / f"vedette.{shell}"
    path.write_text(done.stdout)
    return path


def bash_offers(path, folder, *words):
    """What bash would offer for the last word."""
    # readline parts words at '=' as well, so must we.
    split = []
    for word in words:
        name, equals, value = word.partition("=")
        split += [name, equals, value] if equals else [name]
    if split[-1] == "" and len(split) > 1 and split[-2] == "=":
        split.pop()
    quoted = " ".join(f"'{w}'" for w in split)
    code = (f"source '{path}'; COMP_WORDS=({quoted}); COMP_CWORD=$((${{#COMP_WORDS[@]}}-1));"
            "_vedette; printf '%s\\n' \"${COMPREPLY[@]}\"")
    done = subprocess.run(["bash", "--norc", "-c", code], capture_output=True, text=True,
                          cwd=folder, timeout=30)
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if line]


def test_bash_offers_commands_options_values_files(vedette, tmp_path):
    path = script(vedette, "bash", tmp_path)
    folder = tmp_path / "folder"
    (folder / "below").mkdir(parents=True)
    (folder / "file.yaml").write_text("")
    commands = vedette("help", "--names").stdout.split()
    assert sorted(bash_offers(path, folder, "vedette", "")) == sorted(commands)
    assert bash_offers(path, folder, "vedette", "mon") == ["monitor"]
    assert bash_offers(path, folder, "vedette", "help", "mon") == ["monitor"]
    assert "--port=" in bash_offers(path, folder, "vedette", "monitor", "--po")
    assert bash_offers(path, folder, "vedette", "monitor", "--help") == ["--help"]
    assert bash_offers(path, folder, "vedette", "monitor", "--color=") == [
        "auto", "always", "never"]
    assert bash_offers(path, folder, "vedette", "monitor", "--color=ne") == ["never"]
    assert bash_offers(path, folder, "vedette", "monitor", "--color", "al") == ["always"]
    assert bash_offers(path, folder, "vedette", "monitor", "--config=") == [
        "below", "file.yaml"]
    assert bash_offers(path, folder, "vedette", "monitor", "--data-dir=") == ["below"]
    assert bash_offers(path, folder, "vedette", "config", "") == ["check", "show", "example"]
    assert bash_offers(path, folder, "vedette", "completion", "z") == ["zsh"]


ZSH = """
zmodload zsh/zpty
zpty shell 'zsh -f -i'
send() { zpty -w shell "$1" }
send 'PS1=; unsetopt zle_bracketed_paste 2>/dev/null; autoload -Uz compinit; compinit -u -d %(dump)s'
send 'setopt no_beep; LISTMAX=10000; zstyle ":completion:*" list-prompt ""; source %(script)s'
send 'print -r READ''Y'
line=
while zpty -r shell line; do [[ $line == *READY* ]] && break; done
zpty -w -n shell $'vedette %(words)s\\t\\t'
text=; end=$((SECONDS + 20))
while (( SECONDS < end )); do
    if zpty -r -t shell line 2>/dev/null; then text+=$line; else sleep 0.05; fi
    [[ $text == *'%(wanted)s'* ]] && { print -r FOUND; zpty -d shell; exit 0 }
done
print -r -- "$text"
zpty -d shell
exit 1
"""


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
@pytest.mark.parametrize("words, wanted", [
    ("", "monitor"),
    ("comple", "vedette completion"),
    ("monitor --metrics-hist", "--metrics-history"),
    ("monitor --color=nev", "--color=never"),
    ("config ", "example"),
])
def test_zsh_completes(vedette, tmp_path, words, wanted):
    path = script(vedette, "zsh", tmp_path)
    code = ZSH % {"script": path, "dump": tmp_path / "dump", "words": words,
                  "wanted": wanted}
    done = subprocess.run(["zsh", "-f", "-c", code], capture_output=True, text=True,
                          timeout=60, cwd=tmp_path,
                          env={**os.environ, "TERM": "xterm", "HOME": str(tmp_path)})
    assert done.returncode == 0 and "FOUND" in done.stdout, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
@pytest.mark.parametrize("words, wanted", [
    ("vedette ", "monitor"),
    ("vedette comp", "completion"),
    ("vedette monitor --por", "--port"),
    ("vedette monitor --color=", "--color=never"),
    ("vedette config ", "example"),
])
def test_fish_completes(vedette, tmp_path, words, wanted):
    path = script(vedette, "fish", tmp_path)
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source {path}; complete -C '{words}'"],
        capture_output=True, text=True, timeout=60,
        env={**os.environ, "HOME": str(tmp_path)})
    offers = [line.split("\t")[0] for line in done.stdout.splitlines()]
    assert wanted in offers, done.stdout + done.stderr
