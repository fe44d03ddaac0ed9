"""The manual page and the completions that the package takes from the program's help."""
import gzip
import os
import re
import subprocess
import sys

import pytest

from conftest import ROOT


@pytest.fixture(scope="module")
def made(ponder_bin, tmp_path_factory):
    folder = tmp_path_factory.mktemp("package")
    subprocess.run([sys.executable, ROOT / "packaging/from_help.py", ponder_bin, folder], check=True)
    return folder


def complete(made, *words):
    script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ponder; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    return subprocess.run(["bash", "-c", script, "bash", made / "ponder", "ponder", *words], check=True,
                          capture_output=True, text=True).stdout.split()


def test_the_manual_has_every_command_and_flag(made, ponder):
    page = gzip.decompress((made / "ponder.1.gz").read_bytes()).decode().replace("\\-", "-")
    commands = complete(made, "")
    assert {"run", "chat", "pull"} <= set(commands)
    for command in commands:
        assert re.search(rf"^\.SS ponder {command}\b", page, re.MULTILINE)
        for flag in re.findall(r"--[a-z][a-z-]+", ponder(command, "--help").stdout):
            assert flag in page


def test_completions(made):
    assert complete(made, "ru") == ["run"]
    assert complete(made, "run", "--tempe") == ["--temperature"]
    assert complete(made, "run", "file") == []  # bash's own: names of files
    assert "--version" in complete(made, "--")


def complete_in_zsh(made, *words):
    """_ponder run with what zsh's own completion gives it; `compadd` and `_files` print."""
    script = ('compadd() { shift; print -l -- ${(M)@:#$PREFIX*}; }; _files() { print FILES; }; file=$1; shift; '
              'words=("$@"); CURRENT=$#; PREFIX=$words[-1]; source $file')
    return subprocess.run(["zsh", "-f", "-c", script, "zsh", made / "_ponder", "ponder", *words], check=True,
                          capture_output=True, text=True).stdout.split()


def complete_in_fish(made, line, folder):
    script = f"source {made / 'ponder.fish'}; complete -C {line!r}"
    done = subprocess.run(["fish", "--no-config", "-c", script], check=True, capture_output=True, text=True, cwd=folder,
                          env={**os.environ, "HOME": str(folder)})
    return [word.split("\t")[0] for word in done.stdout.splitlines()]


def test_completions_of_zsh(made):
    assert complete_in_zsh(made, "ru") == ["run"]
    assert set(complete_in_zsh(made, "")) == set(complete(made, ""))
    assert complete_in_zsh(made, "run", "--tempe") == ["--temperature"]
    assert complete_in_zsh(made, "run", "file") == ["FILES"]
    assert "--version" in complete_in_zsh(made, "--")


def test_completions_of_fish(made, tmp_path):
    (tmp_path / "file.gguf").touch()
    assert complete_in_fish(made, "ponder ru", tmp_path) == ["run"]
    assert complete_in_fish(made, "ponder run --tempe", tmp_path) == ["--temperature"]
    assert complete_in_fish(made, "ponder run fi", tmp_path) == ["file.gguf"]
    assert "--version" in complete_in_fish(made, "ponder --", tmp_path)


def test_the_unit_is_confined():
    unit = (ROOT / "packaging/ponder.service").read_text()
    for line in ("DynamicUser=yes", "ProtectSystem=strict", "MemoryDenyWriteExecute=yes", "NoNewPrivileges=yes",
                 "CapabilityBoundingSet=", "ExecStart=/usr/bin/ponder serve --config /etc/ponder/serve.toml"):
        assert line in unit.splitlines()
