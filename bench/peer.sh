#!/usr/bin/env bash
# Makes the peer if it is not there, then runs bench/peer.py with the options given.
#
#   PONDER_PEER_PYTHON   a Python that has llama-cpp-python already (default: build/venv-peer, into
#                        which it is built from source, for this CPU, without AMX: llama.cpp's AMX
#                        path crashes on some virtual machines)
set -euo pipefail
cd "$(dirname "$0")/.."

peer=${PONDER_PEER_PYTHON:-build/venv-peer/bin/python}
if [ ! -x "$peer" ]; then
  echo "bench: building llama-cpp-python into build/venv-peer (about ten minutes on two cores)"
  python3 -m venv build/venv-peer
  no_amx="-mno-amx-tile -mno-amx-int8 -mno-amx-bf16"
  CMAKE_ARGS="-DGGML_NATIVE=ON -DCMAKE_C_FLAGS='$no_amx' -DCMAKE_CXX_FLAGS='$no_amx'" \
    CMAKE_BUILD_PARALLEL_LEVEL=$(nproc) build/venv-peer/bin/python -m pip install --quiet --no-cache-dir \
    --no-binary llama-cpp-python numpy==2.2.6 llama-cpp-python==0.3.36
fi
exec python3 bench/peer.py --peer-python "$peer" "$@"
