#!/usr/bin/env python3
"""Builds the peer: llama.cpp through the source package of llama-cpp-python.

    bench/peers_build.py [native|avx2]      builds it unless it is there; prints its Python

  native   for this CPU, without AMX: llama.cpp's AMX path crashes on some virtual machines
  avx2     AVX2, FMA, F16C and BMI2, nothing newer

Each goes into a folder of its own in build/. PONDER_PEER_PYTHON and PONDER_PEER_PYTHON_AVX2 name a
Python that has llama-cpp-python already, built elsewhere.
"""
import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ["numpy==2.2.6", "llama-cpp-python==0.3.36"]
NO_AMX = "-mno-amx-tile -mno-amx-int8 -mno-amx-bf16"
FOLDERS = {"native": "venv-peer", "avx2": "venv-peer-avx2"}
VARIABLES = {"native": "PONDER_PEER_PYTHON", "avx2": "PONDER_PEER_PYTHON_AVX2"}
CMAKE_ARGS = {
    "native": f"-DGGML_NATIVE=ON -DCMAKE_C_FLAGS='{NO_AMX}' -DCMAKE_CXX_FLAGS='{NO_AMX}'",
    "avx2": "-DGGML_NATIVE=OFF " + " ".join(f"-DGGML_{name}=ON" for name in (
        "SSE42", "AVX", "AVX2", "FMA", "F16C", "BMI2")) + " -DGGML_AVX512=OFF -DGGML_AVX_VNNI=OFF",
}


class BuildFailed(Exception):
    pass


def has_peer(python):
    """Whether this Python imports llama_cpp."""
    command = [str(python), "-c", "import llama_cpp, numpy"]
    return Path(python).exists() and subprocess.run(command, capture_output=True).returncode == 0


def build(isa, folder):
    log = folder.with_name(folder.name + ".log")
    folder.parent.mkdir(exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    print(f"bench: building llama-cpp-python for {isa} into {folder} (about ten minutes on two cores; "
          f"its output: {log})", file=sys.stderr, flush=True)
    environment = os.environ | {"CMAKE_ARGS": CMAKE_ARGS[isa]}
    environment.setdefault("CMAKE_BUILD_PARALLEL_LEVEL", str(os.cpu_count()))
    install = [folder / "bin/python", "-m", "pip", "install", "--no-cache-dir", "--no-binary", "llama-cpp-python"]
    with open(log, "w") as out:
        for command in ([sys.executable, "-m", "venv", folder], [*install, *PACKAGES]):
            if subprocess.run(command, stdout=out, stderr=out, env=environment).returncode != 0:
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-12:])
                raise BuildFailed(f"the peer could not be built for {isa}; the end of {log}:\n{tail}\n"
                                  "It needs a C++ compiler and the Python package index. Or name a Python that "
                                  f"has llama-cpp-python in {VARIABLES[isa]}.")


def peer_python(isa):
    """The Python of the peer for `isa`, built if need be."""
    if given := os.environ.get(VARIABLES[isa]):
        if not has_peer(given):
            raise BuildFailed(f"{VARIABLES[isa]}={given} is no Python that can import llama_cpp and numpy")
        return Path(given)
    folder = ROOT / "build" / FOLDERS[isa]
    python = folder / "bin/python"
    if not has_peer(python):
        build(isa, folder)
        if not has_peer(python):
            raise BuildFailed(f"the peer was built for {isa}, but {python} cannot import it")
    return python


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("isa", nargs="?", choices=FOLDERS, default="native")
    try:
        print(peer_python(parser.parse_args().isa))
    except BuildFailed as failure:
        sys.exit(str(failure))


if __name__ == "__main__":
    main()
