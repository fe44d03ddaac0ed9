"""clang-format 14 over all C++ files."""
import os
import re
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sources import ROOT, Finding

RULE = "format"
TOOL = "clang-format-14"
COMPLAINT = re.compile(r"^(.*?):(\d+):\d+: error: code should be clang-formatted", re.MULTILINE)


def run(paths, *options):
    """Runs the tool over the files in a few processes; their stderr in one string."""
    jobs = os.cpu_count() or 1
    shares = [paths[i::jobs] for i in range(jobs) if paths[i::jobs]]
    def one(share):
        return subprocess.run([TOOL, "--style=file", *options, *share], cwd=ROOT, capture_output=True, text=True).stderr
    with ThreadPoolExecutor(jobs) as pool:
        return "".join(pool.map(one, shares))


def check_files(paths):
    if shutil.which(TOOL) is None:
        yield Finding("tools/lint", 0, RULE, f"{TOOL} is not installed: run tools/setup.sh lint")
        return
    seen = set()
    for path, line in COMPLAINT.findall(run(paths, "--dry-run", "--Werror")):
        if path not in seen:
            seen.add(path)
            yield Finding(path, int(line), RULE, "not formatted: run make format")


def fix(paths):
    run(paths, "-i")


def self_check():
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(ROOT / ".clang-format", folder)
        for name, text, expected in (("bad.cpp", "int  f( ) {return 1;}\n", 1), ("good.cpp", "int f() { return 1; }\n", 0)):
            file = Path(folder) / name
            file.write_text(text)
            assert len(list(check_files([str(file)]))) == expected, name
