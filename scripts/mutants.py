#!/usr/bin/env python3
"""Flips one operator or constant at a time and sees whether a test notices.

    scripts/mutants.py [--seed N] [--count N] [--jobs N] [--only PATH...] [--folder DIR]

The tree is copied to build/mutants (one copy for each job) and built once. Each unit test and
each file of tests of the command line runs once on a build that counts which lines it runs
through. Then for each mutant one file is changed, what depends on it is built, and the tests
run that come by that line, those that name the file first; where none is known to (a table,
a process that was killed), those that come by its file. The first that fails kills the
mutant. The working tree is never touched.

Each finding goes to build/mutants/results.jsonl at once; the same seed goes on where it was
stopped. A survivor is printed with its place and its change, to be caught by a new test or to
be explained. Comments, strings, `case` labels, asserts, includes and declarations without a
value are left alone.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
PLACES = ["lib", "src/alert", "src/detect", "src/format", "src/host", "src/store"]
COPIED = ["CMakeLists.txt", "CMakePresets.json", "cmake", "include", "lib", "src", "tests",
          "web", "scripts", "bench", "examples", "packaging", "docs", "README.md",
          "CHANGELOG.md", "CONTRIBUTING.md", "ARCHITECTURE.md"]

# What becomes what. The longest that fits at a place is taken.
OPERATORS = {
    "<=": ["<", ">"], ">=": [">", "<"], "==": ["!="], "!=": ["=="], "&&": ["||"], "||": ["&&"],
    "+=": ["-="], "-=": ["+="], "*=": ["/="], "/=": ["*="], "++": ["--"], "--": ["++"],
    "<": ["<=", ">="], ">": [">=", "<="], "+": ["-"], "-": ["+"], "*": ["/"], "/": ["*"],
    "!": [""],
}
SKIPPED = ["->", "<<", ">>", "/*", "//"]
NUMBER = re.compile(r"(?<![\w.])(0x[0-9a-fA-F]+|\d+\.\d*(?:e[+-]?\d+)?|\d+(?:e[+-]?\d+)?)\b")
FLAT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\])*\'', re.S)
# Lines that say nothing that a test could notice; more memory than is needed is the same.
DULL = re.compile(r"^\s*(#|case\b|static_assert|assert\(|goto\b|\}|extern\b|return NULL;"
                  r"|\(void\)|.*alloc\(|struct\b[^=]*;$|const\b[^=]*;$|char\b[^=]*;$|static [^=]*\($)")


def blank(text):
    """The text with comments and strings as blanks of the same length."""
    return FLAT.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def is_binary(code, at, end):
    """Whether the sign has a value on its left and blanks around it, as the formatter writes
    it; `*` of a pointer and the minus of a number have not."""
    return code[at - 1:at] == " " and code[end:end + 1] in (" ", "\n") and \
        re.search(r"[\w)\]]\s*$", code[max(0, at - 80):at]) is not None


def operators_in(code):
    at = 0
    while at < len(code):
        two, one = code[at:at + 2], code[at]
        if two in SKIPPED:
            at += 2
        elif two in OPERATORS:
            if two in ("++", "--") or is_binary(code, at, at + 2):
                for new in OPERATORS[two]:
                    yield at, two, new
            at += 2
        elif one in OPERATORS:
            if one == "!" or is_binary(code, at, at + 1):
                for new in OPERATORS[one]:
                    yield at, one, new
            at += 1
        else:
            at += 1


def numbers_in(code):
    for m in NUMBER.finditer(code):
        text = m.group()
        if text.startswith("0x"):
            new = [hex(int(text, 16) + 1)]
        elif re.fullmatch(r"\d+", text):
            new = [str(int(text) + 1)] + ([str(int(text) - 1)] if int(text) > 0 else [])
        else:
            new = [repr(float(text) * 1.5 + (float(text) == 0))]
        for one in new:
            yield m.start(), text, one


def mutants_of(path):
    """All mutants of a file: (path, offset, old, new), in the order of the file."""
    text = (ROOT / path).read_text()
    code = blank(text)
    lines = code.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    found = []
    for at, old, new in list(operators_in(code)) + list(numbers_in(code)):
        number = next(i for i in range(len(starts)) if starts[i + 1] > at)
        if not DULL.match(lines[number]):
            found.append((path, at, old, new))
    return sorted(found)


def choose(places, seed, count):
    files = sorted(str(p.relative_to(ROOT)) for place in places
                   for p in ([ROOT / place] if (ROOT / place).is_file()
                             else (ROOT / place).rglob("*.c")))
    every = [m for f in files for m in mutants_of(f)]
    random.Random(seed).shuffle(every)
    return every[:count] if count > 0 else every


def place_of(mutant):
    path, at, old, new = mutant
    text = (ROOT / path).read_text()
    line = text.count("\n", 0, at) + 1
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    was = text[start:end]
    column = at - start
    now = was[:column] + new + was[column + len(old):]
    return f"{path}:{line}", was.strip(), now.strip()


class Tree:
    """A copy of the tree, built with `flags`."""

    def __init__(self, folder, flags):
        self.folder = folder
        self.flags = flags
        self.build = folder / "build/dev"

    def run(self, *command, seconds, env=None):
        """The exit code; what hangs is killed with all that it started."""
        process = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                   errors="replace", start_new_session=True,
                                   env={**os.environ, **(env or {})})
        try:
            self.said = process.communicate(timeout=seconds)[0]
            return process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            self.said = process.communicate()[0]
            return 124

    def make(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in COPIED:
            if (ROOT / name).exists():
                subprocess.run(["cp", "-a", "-u", "--remove-destination", "-T",
                                str(ROOT / name), str(self.folder / name)], check=True)
        # What a stopped run left changed, or what is gone from the tree.
        for file in list((self.folder / "lib").rglob("*.[ch]")) + \
                list((self.folder / "src").rglob("*.[ch]")):
            origin = ROOT / file.relative_to(self.folder)
            if not origin.exists():
                file.unlink()
            elif origin.read_bytes() != file.read_bytes():
                shutil.copy(origin, file)
        code = self.run("cmake", "--preset", "dev", "-DVD_BENCH=OFF",
                        f"-DCMAKE_C_FLAGS={self.flags}", seconds=300) or \
            self.run("cmake", "--build", "--preset", "dev", seconds=3600)
        if code != 0:
            sys.exit(f"the unchanged tree does not build:\n{self.said[-3000:]}")

    def tests(self):
        """The unit tests by name, and the files of tests of the command line by path."""
        assert self.run("ctest", "--test-dir", str(self.build), "-N", "-LE", "slow",
                        seconds=60) == 0, self.said
        return re.findall(r"Test +#\d+: (test_\S+)", self.said) + \
            sorted(f"tests/cli/{p.name}" for p in (ROOT / "tests/cli").glob("test_*.py"))

    def fails(self, test, seconds, env=None):
        if test.endswith(".py"):
            return self.run(str(ROOT / ".venv/bin/python"), "-m", "pytest", "-q", "-x", "-p",
                            "no:cacheprovider", test, seconds=seconds,
                            env={"VEDETTE_BUILD": str(self.build), **(env or {})}) not in (0, 5)
        return self.run("ctest", "--test-dir", str(self.build), "-R", f"^{test}$",
                        "--timeout", str(int(seconds)), seconds=seconds + 20, env=env) != 0


class Paths(Tree):
    """Which test comes by which line: {file: {line: tests}}, and what each takes."""

    def __init__(self, folder):
        super().__init__(folder, "-O1 --coverage")
        self.kept = folder / "paths.json"

    def find(self):
        if self.kept.exists():
            kept = json.loads(self.kept.read_text())
            self.lines, self.seconds = kept["lines"], kept["seconds"]
            return
        self.make()
        self.lines, self.seconds = {}, {}
        for test in self.tests():
            began = time.monotonic()
            with tempfile.TemporaryDirectory() as counts:
                if self.fails(test, 900, {"GCOV_PREFIX": counts}):
                    print(f"left out, fails on the unchanged tree: {test}", flush=True)
                    continue
                self.seconds[test] = time.monotonic() - began
                self.read(test, pathlib.Path(counts))
        self.kept.write_text(json.dumps({"lines": self.lines, "seconds": self.seconds}))

    def read(self, test, counts):
        found = [p for p in counts.rglob("*.gcda")]
        for gcda in found:
            notes = pathlib.Path("/") / gcda.relative_to(counts).with_suffix(".gcno")
            gcda.with_suffix(".gcno").symlink_to(notes)
        said = subprocess.run(["gcov", "--json-format", "--stdout", *map(str, found)],
                              cwd=self.build, capture_output=True, text=True).stdout
        for document in said.splitlines():
            for file in json.loads(document)["files"]:
                path = os.path.relpath(os.path.join(self.build, file["file"]), self.folder)
                lines = self.lines.setdefault(path, {})
                for line in file["lines"]:
                    tests = lines.setdefault(str(line["line_number"]), [])
                    if line["count"] > 0 and test not in tests:
                        tests.append(test)

    def by(self, path, offset):
        """The tests that come by this place of a file: those that name the file first, of
        these and of the others the fast ones first."""
        lines = self.lines.get(path, {})
        text = blank((ROOT / path).read_text()).split("\n")
        at, number = 0, 0
        while number < len(text) and at + len(text[number]) + 1 <= offset:
            at += len(text[number]) + 1
            number += 1
        tests = []
        # A statement of several lines is counted at its first.
        while number > 0 and not text[number].startswith("}"):
            if str(number + 1) in lines:
                tests = lines[str(number + 1)]
                break
            number -= 1
        if not tests:
            tests = {test for some in lines.values() for test in some}
        stem = pathlib.Path(path).stem
        return sorted(tests, key=lambda t: (stem not in t, t.endswith(".py"), self.seconds[t]))


class Copy(Tree):
    """A copy in which mutants live and die."""

    def __init__(self, folder, paths):
        super().__init__(folder, "-Og")
        self.paths = paths

    def judge(self, mutant):
        """("killed", by whom), ("survived", how many tests) or ("unbuilt", why)."""
        path, at, old, new = mutant
        file = self.folder / path
        text = (ROOT / path).read_text()
        file.write_text(text[:at] + new + text[at + len(old):])
        tests = self.paths.by(path, at)
        built = set()
        try:
            for test in tests:
                target = "vedette" if test.endswith(".py") else test
                if target not in built and self.run(
                        "cmake", "--build", str(self.build), "--target", target,
                        seconds=600) != 0:
                    return "unbuilt", re.search(r"error: (.*)|$", self.said).group(1) or target
                built.add(target)
                # A mutant that hangs is told from one that is slow on a busy machine.
                if self.fails(test, 20 + 8 * self.paths.seconds[test]):
                    return "killed", test
            return "survived", f"{len(tests)} tests"
        finally:
            file.write_text(text)


def load(results):
    if not results.exists():
        return {}
    rows = [json.loads(line) for line in results.read_text().splitlines()]
    return {tuple(row["mutant"]): row for row in rows}


def tell(rows):
    count = {how: sum(r["how"] == how for r in rows) for how in ("killed", "survived", "unbuilt")}
    judged = count["killed"] + count["survived"]
    for row in sorted((r for r in rows if r["how"] == "survived"), key=lambda r: r["place"]):
        print(f"\nsurvived {row['place']}\n  - {row['was']}\n  + {row['now']}")
    share = 100 * count["killed"] / judged if judged > 0 else 0
    print(f"\n{judged} mutants: {count['killed']} killed, {count['survived']} survived "
          f"({share:.0f} % killed); {count['unbuilt']} did not build")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--count", type=int, default=200, help="how many; 0 = all there are")
    arguments.add_argument("--jobs", type=int, default=1)
    arguments.add_argument("--only", nargs="+", metavar="PATH", default=PLACES,
                           help="files or folders (default: %(default)s)")
    arguments.add_argument("--folder", type=pathlib.Path, default=ROOT / "build/mutants")
    arguments.add_argument("--list", action="store_true", help="show them, run nothing")
    options = arguments.parse_args()
    chosen = choose(options.only, options.seed, options.count)
    if options.list:
        for mutant in chosen:
            place, was, now = place_of(mutant)
            print(f"{place}\n  - {was}\n  + {now}")
        return
    results = options.folder / "results.jsonl"
    known = load(results)
    todo = [m for m in chosen if m not in known]
    print(f"{len(chosen)} mutants, {len(chosen) - len(todo)} judged before", flush=True)
    copies = queue.Queue()
    paths = Paths(options.folder / "paths")
    if todo:
        paths.find()
    for job in range(options.jobs if todo else 0):
        copy = Copy(options.folder / f"copy{job}", paths)
        copy.make()
        copies.put(copy)
    began = time.monotonic()

    def judge(mutant):
        copy = copies.get()
        try:
            how, by = copy.judge(mutant)
        finally:
            copies.put(copy)
        place, was, now = place_of(mutant)
        return {"mutant": mutant, "how": how, "by": by, "place": place, "was": was, "now": now}

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool, \
            open(results, "a") if todo else open(os.devnull, "w") as out:
        for done, row in enumerate(pool.map(judge, todo), 1):
            known[tuple(row["mutant"])] = row
            out.write(json.dumps(row) + "\n")
            out.flush()
            print(f"{done}/{len(todo)} {time.monotonic() - began:.0f} s {row['how']} "
                  f"{row['place']} {row['by']}", flush=True)
    tell([known[m] for m in chosen])


if __name__ == "__main__":
    main()
