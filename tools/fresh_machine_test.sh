#!/usr/bin/env bash
# Shows that README's two commands work on a Debian 12 with nothing installed and an empty home.
#
#   sudo tools/fresh_machine_test.sh [FOLDER]
#
# Makes a minimal Debian in FOLDER (default: a new one under /var/tmp, removed at the end), clones
# the committed HEAD into its empty home, and runs there what README says, without a terminal.
# Needs root, debootstrap and the network; takes about 6 GB of disk and the time of a full build.
# What this machine knows about its network goes along: resolv.conf, pip.conf, proxies, certificates.
#   COMMANDS="make run;make test"   what to run instead of README's two commands
set -euo pipefail
source_tree=$(cd "$(dirname "$0")/.." && pwd)
commands=${COMMANDS:-make run;make test}

if [ "$(id -u)" != 0 ] || ! command -v debootstrap >/dev/null; then
  echo "needs root and debootstrap (apt-get install debootstrap)" >&2
  exit 2
fi
if [ $# -gt 0 ]; then
  machine=$1
  mkdir -p "$machine"
else
  machine=$(mktemp -d /var/tmp/ponder-fresh.XXXXXX)
  trap 'rm -rf --one-file-system "$machine"' EXIT
fi

if [ ! -x "$machine/bin/bash" ]; then
  echo "== debootstrap into $machine"
  debootstrap --variant=minbase bookworm "$machine" http://deb.debian.org/debian >"$machine.log" 2>&1 ||
    { tail "$machine.log"; exit 1; }
  rm -f "$machine.log"
fi
chmod 755 "$machine"  # its /: sandboxed programs of other users must pass through it
cp /etc/resolv.conf /etc/hosts "$machine/etc/"
[ ! -f /etc/pip.conf ] || cp /etc/pip.conf "$machine/etc/"
if [ -d /usr/local/share/ca-certificates ]; then
  mkdir -p "$machine/usr/local/share/ca-certificates"
  cp -r /usr/local/share/ca-certificates/. "$machine/usr/local/share/ca-certificates/"
fi
rm -rf "$machine/srv/ponder.git" "$machine/root"
install -d -m 700 "$machine/root"
git clone --quiet --bare "$source_tree" "$machine/srv/ponder.git"

cat >"$machine/srv/newcomer" <<SCRIPT
set -euo pipefail
mount -t proc proc /proc
mount -t tmpfs tmpfs /dev
mkdir /dev/pts /dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts /dev/pts
ln -s pts/ptmx /dev/ptmx
for node in "null 1 3" "zero 1 5" "full 1 7" "random 1 8" "urandom 1 9" "tty 5 0"; do
  set -- \$node
  mknod -m 666 /dev/\$1 c \$2 \$3
done
ln -s /proc/self/fd /dev/fd
ln -s /proc/self/fd/1 /dev/stdout
ln -s /proc/self/fd/2 /dev/stderr
exec </dev/null
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq git make ca-certificates >/dev/null
cd /root
git clone --quiet /srv/ponder.git ponder
cd ponder
IFS=';'
for command in \$COMMANDS; do
  echo "== \$command"
  begin=\$SECONDS
  bash -c "\$command"
  echo "== \$command: ok, \$((SECONDS - begin)) s"
done
SCRIPT

network=()
for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY PIP_INDEX_URL PIP_DEFAULT_TIMEOUT; do
  [ -z "${!name:-}" ] || network+=("$name=${!name}")
done
# Mounts and processes of the machine live in namespaces of their own and vanish with them.
unshare --mount --pid --fork --kill-child chroot "$machine" /usr/bin/env -i HOME=/root LANG=C.UTF-8 \
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin COMMANDS="$commands" \
  "${network[@]}" /bin/bash /srv/newcomer
echo "fresh machine: ok"
