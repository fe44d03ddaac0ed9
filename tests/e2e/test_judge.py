"""`ponder judge`: verdicts, exit statuses, and levels of the sandbox as root, as an ordinary user and
without user namespaces. What this machine does not offer is skipped, with its reason."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ADD = "def add(a, b):\n    return a + b\n"
TESTS = "def check(candidate):\n    assert candidate(1, 2) == 3\n    assert candidate('a', 'b') == 'ab'\n"
NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]


@pytest.fixture
def folder():
    """A folder that other users may read."""
    path = Path(tempfile.mkdtemp(prefix="ponder-judge-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def judge(ponder, folder):
    """Judges a program; skips where nothing protects this machine."""
    def run(source, *arguments, language="python", **files):
        program = folder / ("program.py" if language == "python" else "program.cpp")
        program.write_text(source)
        for name, content in files.items():
            path = folder / name
            path.write_text(content)
            arguments += (f"--{name}", path)
        result = ponder("judge", "run", "--lang", language, "--file", program, "--json", *arguments)
        if result.returncode == 3:
            pytest.skip(result.stderr)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)
    return run


@pytest.mark.parametrize("source, verdict", [
    (ADD, "pass"),
    ("def add(a, b):\n    return a\n", "wrong"),
    ("def add(a, b):\n    return a + b + []\n", "runtime_error"),
    ("import sys\nsys.exit(0)\n", "runtime_error"),
    ("def add(a, b)\n", "compile_error"),
    ("def add(a, b):\n    while True: pass\n", "timeout"),
    ("def add(a, b):\n    return 'x' * 10**10\n", "memory"),
])
def test_python_tests(judge, source, verdict):
    assert judge(source, "--time", 1, tests=TESTS)["verdict"] == verdict


def test_lower_limits_of_the_machine_are_no_failure(ponder_bin, folder):
    """Wanted limits above the hard ones of the caller must not be an error."""
    (folder / "program.py").write_text(ADD)
    (folder / "tests.py").write_text(TESTS)
    command = [ponder_bin, "judge", "run", "--lang", "python", "--file", folder / "program.py", "--tests",
               folder / "tests.py", "--json"]
    limits = "ulimit -Sn 64 && ulimit -Hn 64 && ulimit -Ss 8000 && ulimit -Hs 8000 && ulimit -f 20000 && exec \"$@\""
    done = subprocess.run(["bash", "-c", limits, "-", *map(str, command)], capture_output=True, text=True)
    if done.returncode == 3:
        pytest.skip(done.stderr)
    assert done.returncode == 0 and json.loads(done.stdout)["verdict"] == "pass", done.stdout + done.stderr


def test_broken_tests_say_nothing_about_the_program(judge):
    assert judge(ADD, tests="def check(candidate:\n")["verdict"] == "infra"


@pytest.mark.parametrize("language, source", [
    ("python", "print(sum(map(int, open(0).read().split())))"),
    ("cpp", "#include <iostream>\nint main() { long s = 0, x; while (std::cin >> x) s += x; "
            "std::cout << s << '\\n'; }"),
])
def test_output(judge, language, source):
    right = judge(source, language=language, stdin="1\n2\n", expect="3\n")
    assert right["verdict"] == "pass" and right["stdout"] == "3\n"
    wrong = judge(source, language=language, stdin="1\n2\n", expect="4\n")
    assert wrong["verdict"] == "wrong" and 'expected "4", got "3"' in wrong["why"]


def test_cpp_tests(judge):
    tests = "#include <cassert>\nint add(int, int);\nint main() { assert(add(1, 2) == 3); }\n"
    right = "int add(int a, int b) { return a + b; }\n"
    assert judge(right, language="cpp", tests=tests)["verdict"] == "pass"
    assert judge(right.replace("+", "-"), language="cpp", tests=tests)["verdict"] == "wrong"
    assert judge("int add(int a) {", language="cpp", tests=tests)["verdict"] == "compile_error"


def test_bad_arguments(ponder, folder):
    for arguments in (["--lang", "perl", "--file", "x"], ["--lang", "python"],
                      ["--lang", "python", "--file", "x", "--tests", "a", "--stdin", "b"]):
        assert ponder("judge", "run", *arguments).returncode == 2
    missing = ponder("judge", "run", "--lang", "python", "--file", folder / "none.py")
    assert missing.returncode == 1 and "none.py" in missing.stderr
    (folder / "a.py").write_text("")
    level = ponder("judge", "run", "--lang", "python", "--file", folder / "a.py",
                   env={**os.environ, "PONDER_SANDBOX": "Z"})
    assert level.returncode == 1 and "PONDER_SANDBOX" in level.stderr


def test_refuses_without_a_sandbox(ponder, folder):
    (folder / "a.py").write_text("print(1)")
    arguments = ["judge", "run", "--lang", "python", "--file", folder / "a.py", "--sandbox", "none", "--json"]
    refused = ponder(*arguments)
    assert refused.returncode == 3 and "no sandbox" in refused.stderr and not refused.stdout
    forced = ponder(*arguments, "--unconfined")
    assert forced.returncode == 0 and json.loads(forced.stdout)["sandbox"] == "none"


def self_test(ponder_bin, prefix=(), **options):
    result = subprocess.run([*prefix, str(ponder_bin), "judge", "selftest", "--quick", "--json"],
                            capture_output=True, text=True, timeout=600, **options)
    if result.returncode == 3:
        pytest.skip(result.stderr)
    report = json.loads(result.stdout)
    assert report["passed"], (report["leaks"], [item for item in report["items"] if not item["ok"]])
    assert result.returncode == 0
    assert sum(item["hostile"] for item in report["items"]) >= 60
    return report["sandbox"]


def as_root(program):
    if os.geteuid() != 0 or not shutil.which(program):
        pytest.skip(f"needs root and {program}")


@pytest.mark.parametrize("level", ["A", "B"])
def test_self_test(ponder_bin, level):
    assert self_test(ponder_bin, env={**os.environ, "PONDER_SANDBOX": level}) >= level


@pytest.mark.parametrize("level", ["A", "B"])
def test_self_test_as_an_ordinary_user(ponder_bin, level):
    as_root("setpriv")
    if subprocess.run([*NOBODY, "test", "-x", str(ponder_bin)]).returncode != 0:
        pytest.skip(f"{ponder_bin} cannot be run by others")
    environment = {"PATH": os.environ["PATH"], "PONDER_SANDBOX": level}
    assert self_test(ponder_bin, NOBODY, env=environment, cwd="/") >= level


def test_self_test_without_user_namespaces(ponder_bin):
    as_root("unshare")
    forbid = ["unshare", "--user", "--map-root-user", "sh", "-c",
              'echo 0 >/proc/sys/user/max_user_namespaces || exit 3; exec "$@"', "sh"]
    if (probe := subprocess.run([*forbid, "true"], capture_output=True, text=True)).returncode != 0:
        pytest.skip(f"no user namespace can be made to forbid more: {probe.stderr}")
    assert self_test(ponder_bin, forbid) == "B"


def test_nothing_is_left_when_the_program_is_killed(ponder_bin, folder):
    (folder / "a.py").write_text("import time\nprint('up', flush=True)\ntime.sleep(1000)")
    mark = "../box/main.py"

    def running():
        listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
        return sum(mark in line and str(os.getpid()) not in line for line in listed.splitlines())
    before = running()
    process = subprocess.Popen([str(ponder_bin), "judge", "run", "--lang", "python", "--file",
                                str(folder / "a.py"), "--time", "100"], stderr=subprocess.PIPE)
    for _ in range(200):
        if running() > before or process.poll() is not None:
            break
        subprocess.run(["sleep", "0.05"])
    if process.poll() == 3:
        pytest.skip(process.stderr.read().decode())
    assert running() > before
    process.kill()
    process.wait()
    for _ in range(200):
        if running() <= before:
            break
        subprocess.run(["sleep", "0.05"])
    assert running() <= before


@pytest.fixture(scope="module")
def python_with_numpy():
    """A virtual environment of the system's Python that has the NumPy of this one."""
    try:
        import numpy
    except ImportError:
        pytest.skip("NumPy is not here")
    system = "/usr/bin/python3"
    version = subprocess.run([system, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True)
    if version.stdout.split() != [str(part) for part in sys.version_info[:2]]:
        pytest.skip("the NumPy here is for another version of Python than the system's")
    folder = Path(tempfile.mkdtemp(prefix="ponder-numpy-", dir="/var/tmp"))  # a sandbox has a /tmp of its own
    folder.chmod(0o755)
    try:
        subprocess.run([system, "-m", "venv", "--without-pip", folder], check=True)
        (packages,) = folder.glob("lib/python3.*/site-packages")
        for source in Path(numpy.__file__).parents[1].glob("numpy*"):
            shutil.copytree(source, packages / source.name, ignore=shutil.ignore_patterns("tests", "*.pyi"))
        yield folder / "bin/python"
    finally:
        shutil.rmtree(folder)


def test_numpy_is_judged_like_anything_else(judge, python_with_numpy):
    """OpenBLAS reserves far more than it uses, at --memory 64 more than the whole limit."""
    python = ("--python", python_with_numpy)
    product = "import numpy as np\na = np.ones((300, 300))\nprint(int((a @ a).sum()))\n"
    result = judge(product, *python, "--memory", 64, stdin="", expect="27000000\n")
    assert result["verdict"] == "pass" and result["peak_memory_bytes"] < 64 << 20, result
    result = judge("import numpy as np\nprint(np.ones((20000, 20000)).sum())\n", *python)
    assert result["verdict"] == "memory" and "Unable to allocate 2.98 GiB" in result["why"]
    dot = "import numpy as np\ndef add(a, b):\n    return float(np.dot(np.array([a, b]), np.ones(2)))\n"
    tests = "def check(candidate):\n    assert candidate(1, 2) == 3\n"
    assert judge(dot, *python, tests=tests)["verdict"] == "pass"
    result = judge(dot.replace("np.ones(2)", "np.ones(2) * 2"), *python, tests=tests)
    assert result["verdict"] == "wrong"
    close = "import numpy as np\ndef check(candidate):\n    assert np.allclose(candidate(1, 2), 3)\n"  # as MBPP+ does
    assert judge(ADD, *python, tests=close)["verdict"] == "pass"
    assert judge(ADD.replace("+", "-"), *python, tests=close)["verdict"] == "wrong"


def test_what_is_not_there_is_said(judge, ponder, folder):
    result = judge("import no_such_package\n")
    assert result["verdict"] == "runtime_error" and "No module named 'no_such_package'" in result["why"]
    result = judge("print(1)\n", "--python", folder / "python")
    assert result["verdict"] == "infra" and "python is not there" in result["why"]
    (folder / "python").write_text("#!/bin/sh\n")
    (folder / "python").chmod(0o755)
    done = ponder("judge", "run", "--lang", "python", "--file", folder / "program.py", "--python", folder / "python")
    assert done.returncode == 1 and "no installation of Python is around it" in done.stderr
