#!/usr/bin/env python3
"""Makes suites/cpp.jsonl, the tasks that are part of the program.

    tools/suites/make_cpp.py             write it
    tools/suites/make_cpp.py --check     is it what the tasks say?
    tools/suites/make_cpp.py --try [NAME…]   compile and run solutions and wrong variants here, unconfined
"""
import itertools
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import cpp_suite  # noqa: E402
for module in sorted(p.stem for p in Path(__file__).parent.glob("cpp_*.py")):
    __import__(module)

TARGET = Path(__file__).resolve().parents[2] / "suites" / "cpp.jsonl"


def outcome(source, record):
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a.cpp").write_text(source)
        built = subprocess.run(["g++", "-std=gnu++20", "-O2", "-Wall", "-o", "a", "a.cpp"], cwd=folder,
                               capture_output=True, text=True)
        if built.returncode or built.stderr:
            return "compile: " + built.stderr
        for number, case in enumerate(record["io"], 1):
            given = cpp_suite.written_out(case["stdin"])
            limit = f"ulimit -s 65536; ulimit -t {int(record.get('time', 5))}; exec ./a"
            ran = subprocess.run(["bash", "-c", limit], input=given, cwd=folder, capture_output=True, text=True)
            if ran.returncode:
                return f"case {number}: status {ran.returncode}"
            lines = [[row.rstrip() for row in text.rstrip().split("\n")] for text in (ran.stdout, case["stdout"])]
            if lines[0] != lines[1]:
                return f"case {number}: got {ran.stdout[:60]!r}, not {case['stdout'][:60]!r}"
    return "pass"


def attempt(record):
    right, wrong = outcome(record["solution"], record), [outcome(program, record) for program in record["wrong"]]
    good = right == "pass" and not any(o == "pass" or o.startswith("compile") for o in wrong)
    if record["level"] == 2:  # one at least fails by time alone
        good = good and any("status -9" in o for o in wrong)
    print("ok  " if good else "BAD ", record["id"], "|", right, "|", *wrong, flush=True)
    return good


def main():
    by_level = [sorted((t for t in cpp_suite.TASKS if t.level == level), key=lambda t: t.name) for level in range(3)]
    tasks = [t for three in itertools.zip_longest(*by_level) for t in three if t]  # so that a beginning has all levels
    if "--try" in sys.argv:
        names = sys.argv[sys.argv.index("--try") + 1:]
        records = [t.record() for t in tasks if not names or t.name in names]
        with ThreadPoolExecutor(2) as pool:
            sys.exit(0 if all(list(pool.map(attempt, records))) else 1)
    made = "".join(json.dumps(t.record(), ensure_ascii=False) + "\n" for t in tasks)
    if "--check" in sys.argv:
        sys.exit(0 if TARGET.read_text() == made else "suites/cpp.jsonl is not what tools/suites says: make it again")
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(made)
    print(f"{len(tasks)} tasks, {len(made)} bytes")


if __name__ == "__main__":
    main()
