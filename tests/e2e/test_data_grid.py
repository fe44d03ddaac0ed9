"""ponder data gives the same bytes for every number of shards, threads and processes, killed or not.

PONDER_DATA_GRID=MEGABYTES runs every combination on a corpus of that size, instead of some on a small one.
"""
import json
import os
import random
import shutil
import signal
import subprocess
import time
from itertools import product

import pytest

from test_data import parts, prose, sentence, split

WHOLE = float(os.environ.get("PONDER_DATA_GRID", 0))
SIZE = WHOLE * 1e6 or 200_000
STEPS = {"exact": ["dedup", "exact"], "near": ["dedup", "near"], "substring": ["dedup", "substring", "--words", "40"],
         "filter": ["filter", "--preset", "gopher", "--set", "gopher_quality.min_words=20"]}
SHARDS, THREADS, WORLDS = (1, 3, 8), (1, 2, 3), (2, 4)
SHAPES = list(product(SHARDS, THREADS)) if WHOLE else [(1, 3), (3, 1), (8, 2)]
MPI = pytest.mark.skipif(shutil.which("mpirun") is None, reason="mpirun is not installed")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Prose and lists; copies, near copies, common passages, texts that no rule keeps, and lines that are no records."""
    random_ = random.Random(11)
    passage = sentence(random_, 60)
    texts, lines, size = [], [], 0
    while size < SIZE:
        i = len(texts)
        text = prose(random_, random_.randrange(1, 12)) if i % 3 else sentence(random_, random_.randrange(5, 120))
        if i % 5 == 4:
            text = random_.choice(texts)
        elif i % 7 == 6:
            words = random_.choice(texts).split()
            words[random_.randrange(len(words))] = "changed"
            text = " ".join(words)
        elif i % 11 == 10:
            text += " " + passage
        texts.append(text)
        lines.append(json.dumps({"id": f"d{i * 7919 % 100_003}", "text": text}))
        if i % 50 == 49:
            lines.append('{"broken')
        size += len(lines[-1])
    path = tmp_path_factory.mktemp("grid") / "in.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module", params=STEPS)
def step(request, ponder_bin, corpus, tmp_path_factory):
    """A step's command, and what one process with one thread makes of one file."""
    folder = tmp_path_factory.mktemp(request.param)
    command = [str(ponder_bin), "data", *STEPS[request.param], "--checkpoint", "20000", "--memory", "64M", "--json"]
    subprocess.run([*command, str(corpus), "-o", str(folder / "one"), "-t", "1"], check=True, capture_output=True)
    expected = outcome(folder / "one")
    assert 0 < expected[0]["removed"] < expected[0]["in"] and expected[0]["quarantined"] > 0
    return command, expected


def outcome(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    counts = manifest["counts"]
    assert counts["in"] == counts["kept"] + counts["removed"] + counts["quarantined"]
    return counts, manifest["samples"], parts(folder), (folder / "removed.jsonl").read_bytes()


def start(command):
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def run_array(command, world, random_=None):
    """The processes of an array job; with `random_` each is killed up to four times, at any moment."""
    commands = [[*command, "--rank", str(rank), "--world", str(world)] for rank in range(world)]
    running = [start(one) for one in commands]
    kills = 0
    for _ in range(4 if random_ else 0):
        time.sleep(random_.uniform(0, 0.05))
        for rank in range(world):
            if random_.random() < 0.7:
                running[rank].kill()
                running[rank].communicate()
                kills += running[rank].returncode == -signal.SIGKILL
                running[rank] = start(commands[rank])
    for process in running:
        _, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
    return kills


def mpi(command, world):
    environment = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    return subprocess.Popen(["mpirun", "--oversubscribe", "-n", str(world), *command], stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, env=environment, start_new_session=True)


def on(command, corpus, shards, threads, out):
    files = [corpus] if shards == 1 else split(corpus, shards)
    return [*command, *map(str, files), "-o", str(out), "-t", str(threads)]


def test_one_process(step, corpus, tmp_path):
    command, expected = step
    for shards, threads in product(SHARDS, THREADS):
        out = tmp_path / f"{shards}-{threads}"
        subprocess.run(on(command, corpus, shards, threads, out), check=True, capture_output=True)
        assert outcome(out) == expected, (shards, threads)


@pytest.mark.parametrize("world", WORLDS)
def test_array_jobs(step, corpus, tmp_path, world):
    command, expected = step
    for shards, threads in SHAPES:
        out = tmp_path / f"{shards}-{threads}"
        run_array(on(command, corpus, shards, threads, out), world)
        assert outcome(out) == expected, (shards, threads)


@pytest.mark.parametrize("world", (1, 2, 4))
def test_array_jobs_that_are_killed(step, corpus, tmp_path, world):
    command, expected = step
    kills = 0
    for shards, threads in SHAPES:
        out = tmp_path / f"{shards}-{threads}"
        kills += run_array(on(command, corpus, shards, threads, out), world, random.Random(world * shards))
        assert outcome(out) == expected, (shards, threads)
    assert kills > 0


@MPI
@pytest.mark.parametrize("world", (1, *WORLDS) if WHOLE else WORLDS)
def test_mpi(step, corpus, tmp_path, world):
    command, expected = step
    for shards, threads in SHAPES if WHOLE else [(8, 2)]:
        out = tmp_path / f"{shards}-{threads}"
        process = mpi(on(command, corpus, shards, threads, out), world)
        _, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        assert outcome(out) == expected, (shards, threads)


@MPI
def test_mpi_that_is_killed(step, corpus, tmp_path):
    command, expected = step
    random_ = random.Random(5)
    for shards, threads in SHAPES if WHOLE else [(8, 1)]:
        out = tmp_path / f"{shards}-{threads}"
        for last in (False, False, True):
            process = mpi(on(command, corpus, shards, threads, out), 2)
            if not last:
                time.sleep(random_.uniform(0.2, 0.6))  # mpirun itself takes some time
                os.killpg(process.pid, signal.SIGKILL)
            _, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        assert outcome(out) == expected, (shards, threads)
