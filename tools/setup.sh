#!/usr/bin/env bash
# Installs what Ponder needs on Debian 12, and only what is missing.
#
#   tools/setup.sh build        compiler and libraries; a Python that can fetch models; Arrow for Parquet
#   tools/setup.sh parquet      only Arrow, into build/arrow
#   tools/setup.sh test         the same, Chromium, and build/venv with what the Python tests import
#   tools/setup.sh lint         the same as build, and clang-format
#   tools/setup.sh tidy|fuzz    the same as build, and more of clang
#   tools/setup.sh deb          the same as build, and what makes a package
#
# Works as root, or through sudo. Nothing is downloaded when all is there already.
set -euo pipefail
cd "$(dirname "$0")/.."

BUILD_PACKAGES=(
  g++ cmake ninja-build ccache pkg-config
  nlohmann-json3-dev libcli11-dev libspdlog-dev libssl-dev libboost1.81-dev
  libutf8proc-dev libedit-dev libtomlplusplus-dev zlib1g-dev libgtest-dev libgmock-dev libbenchmark-dev
  libopenmpi-dev openmpi-bin libsqlite3-dev libseccomp-dev libzstd-dev libxxhash-dev libcld2-dev libfasttext-dev
  libsimdjson-dev
  libjs-katex fonts-katex libjs-marked node-dompurify libjs-highlight.js libjs-chart.js
  ca-certificates git python3 python3-pip python3-venv
)
TEST_PACKAGES=(chromium zsh fish)
LINT_PACKAGES=(clang-format-14 binutils)
FUZZ_PACKAGES=(clang-14 libclang-rt-14-dev llvm-14)
DEB_PACKAGES=(dpkg-dev file)
PYTHON_PACKAGES=(
  numpy==2.2.6 tokenizers==0.23.3 jinja2==3.1.6 safetensors==0.5.3 gguf==0.17.1
  sympy==1.14.0 pytest==8.4.2 openai==3.57.0 anthropic==2.13.0 pydantic==2.14.4 pexpect==4.9.0 jsonschema[format-nongpl]==4.26.0
  schemathesis==4.32.5
)
VENV=build/venv
# Arrow's C++ libraries and headers come in this wheel, which Debian lacks; the tests read and write
# Parquet with the same one.
ARROW=pyarrow==26.0.1

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install_packages() {
  local missing=()
  for package in "$@"; do
    if ! dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed'; then
      missing+=("$package")
    fi
  done
  [ ${#missing[@]} = 0 ] && return
  echo "setup: installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# The stamp holds the list that was installed, so that a changed list installs again.
install_python() {
  local stamp=$VENV/installed
  [ "$(cat "$stamp" 2>/dev/null)" = "$*" ] && return
  echo "setup: filling $VENV"
  python3 -m venv "$VENV"
  "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
  echo "$*" >"$stamp"
}

# Without a network the program is built without Parquet.
install_arrow() {
  [ "$(cat build/arrow/installed 2>/dev/null)" = "$ARROW" ] && return
  echo "setup: filling build/arrow"
  rm -rf build/arrow
  if python3 -m pip install --quiet --disable-pip-version-check --no-deps --target build/arrow "$ARROW"; then
    echo "$ARROW" >build/arrow/installed
  else
    echo "setup: $ARROW cannot be had: building without Parquet" >&2
  fi
}

case "${1:-}" in
  build)
    install_packages "${BUILD_PACKAGES[@]}"
    install_arrow
    ;;
  parquet) install_arrow ;;
  lint) install_packages "${BUILD_PACKAGES[@]}" "${LINT_PACKAGES[@]}" ;;
  tidy) install_packages "${BUILD_PACKAGES[@]}" clang-tidy-14 ;;
  fuzz) install_packages "${BUILD_PACKAGES[@]}" "${FUZZ_PACKAGES[@]}" ;;
  deb) install_packages "${BUILD_PACKAGES[@]}" "${DEB_PACKAGES[@]}" ;;
  test)
    install_packages "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
    install_arrow
    install_python "${PYTHON_PACKAGES[@]}"
    ;;
  *)
    sed -n '2,11s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
