#!/usr/bin/env python3
"""Serving against llama-server: the same model, clients and threads, one after the other in rounds.

    bench/serve_peers.py -m F.gguf [--clients 16] [--seconds 30] [--rounds 2]

llama-server is built from the source package of llama-cpp-python into build/llama-server (ten
minutes on two cores; LLAMA_SERVER names one that is there already). It gets as many slots as there
are clients, and runs with flash attention on and off; the better of the two counts. Prints
tokens/s of all clients for each round, then one line of JSON with the ratio of the medians.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
from pathlib import Path

import peers_build

ROOT = Path(__file__).resolve().parents[1]
PORT = 8291


def build_server():
    """llama-server's path, built if need be."""
    if given := os.environ.get("LLAMA_SERVER"):
        return given
    folder = ROOT / "build/llama-server"
    program = folder / "bin/llama-server"
    if program.exists():
        return program
    with tempfile.TemporaryDirectory() as temp:
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:",
                        "-d", temp, peers_build.PACKAGES[-1]], check=True)
        with tarfile.open(next(Path(temp).glob("*.tar.gz"))) as archive:
            archive.extractall(temp, filter="data")
        source = next(Path(temp).glob("*/vendor/llama.cpp"))
        flags = [f"-DCMAKE_{language}_FLAGS={peers_build.NO_AMX}" for language in ("C", "CXX")]
        subprocess.run(["cmake", "-S", source, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                        "-DGGML_NATIVE=ON", "-DLLAMA_CURL=OFF", "-DLLAMA_BUILD_TESTS=OFF",
                        "-DLLAMA_BUILD_EXAMPLES=OFF", *flags], check=True)
        subprocess.run(["ninja", "-C", folder, "llama-server"], check=True)
    return program


def wait_for(url, process):
    for _ in range(600):
        if process.poll() is not None:
            sys.exit(f"{process.args[0]} ended with status {process.returncode}")
        try:
            with urllib.request.urlopen(url + "/health") as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"{process.args[0]} was not ready within a minute")


def measure(command, options):
    url = f"http://127.0.0.1:{PORT}"
    with subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(url, process)
            load = [sys.executable, ROOT / "bench/serve_load.py", "--url", url, "--clients", str(options.clients)]
            subprocess.run([*load, "--seconds", "5"], check=True, capture_output=True)
            result = json.loads(subprocess.run([*load, "--seconds", str(options.seconds), "--pid", str(process.pid)],
                                               check=True, capture_output=True, text=True).stdout)
        finally:
            process.terminate()
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-m", "--model", required=True)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    threads = str(os.cpu_count())
    llama = [build_server(), "-m", options.model, "--port", str(PORT), "-t", threads, "--parallel",
             str(options.clients), "-c", str(2048 * options.clients)]
    servers = {"ponder": [ROOT / "build/release/ponder", "serve", "-m", options.model, "--port", str(PORT),
                          "--threads", threads, "--parallel", str(options.clients)],
               "llama-server -fa on": [*llama, "-fa", "on"], "llama-server -fa off": [*llama, "-fa", "off"]}
    speeds = {name: [] for name in servers}
    for number in range(options.rounds):
        for name, command in servers.items():
            result = measure(command, options)
            speeds[name].append(result["tokens_per_second"])
            print(f"round {number + 1}  {name:20}  {json.dumps(result)}", flush=True)
    medians = {name: statistics.median(values) for name, values in speeds.items()}
    peer = max(value for name, value in medians.items() if name != "ponder")
    print(json.dumps({"clients": options.clients, "tokens_per_second": medians, "ratio": round(medians["ponder"] / peer, 2)}))


if __name__ == "__main__":
    main()
