#!/bin/sh
# Cross-compiles the package for aarch64 and runs the smoke test on it under qemu. The Python that runs it
# comes from Debian's packages, NumPy from PyPI; all of it goes to build/aarch64.
#
#   PYTHON=.venv/bin/python sh tests/aarch64.sh
set -eu
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}
HERE=$PWD/build/aarch64
ROOT=$HERE/root
skip() {
    echo "test-aarch64: SKIPPED: $1"
    exit 0
}

for tool in qemu-aarch64 aarch64-linux-gnu-gcc apt-get dpkg-deb; do
    command -v $tool >/dev/null || skip "no $tool (on Debian: apt install qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross)"
done
. /etc/os-release
[ "$ID" = debian ] || skip "Debian's arm64 packages of Python are needed, and this is $ID"

if ! [ -e "$ROOT/.unpacked" ]; then
    echo "test-aarch64: unpacking Python into build/aarch64"
    rm -rf "$HERE"
    mkdir -p "$ROOT" "$HERE/apt/state/lists/partial" "$HERE/apt/cache/archives/partial"
    : >"$HERE/apt/state/status"
    key=/usr/share/keyrings/debian-archive-keyring.gpg
    echo "deb [signed-by=$key] http://deb.debian.org/debian $VERSION_CODENAME main" >"$HERE/apt/sources.list"
    cat >"$HERE/apt/apt.conf" <<END
Dir::State "$HERE/apt/state";
Dir::State::status "$HERE/apt/state/status";
Dir::Cache "$HERE/apt/cache";
Dir::Etc::sourcelist "$HERE/apt/sources.list";
Dir::Etc::sourceparts "-";
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Sandbox::User "root";
END
    # Nothing is installed: the packages and what they depend on are fetched and unpacked.
    export APT_CONFIG="$HERE/apt/apt.conf"
    apt-get -qq update
    apt-get -qq -y --download-only --no-install-recommends install \
        python3-minimal libpython3-stdlib libpython3-dev libgomp1 libstdc++6
    for package in "$HERE"/apt/cache/archives/*.deb; do dpkg-deb -x "$package" "$ROOT"; done
    touch "$ROOT/.unpacked"
fi

target=$(basename "$(readlink -f "$ROOT/usr/bin/python3")") # such as python3.11
run() { qemu-aarch64 -L "$ROOT" "$ROOT/usr/bin/$target" "$@"; }

numpy=$("$PYTHON" -c 'import numpy; print(numpy.__version__)')
if ! [ -e "$HERE/numpy-$numpy" ]; then
    rm -rf "$HERE/site" "$HERE"/numpy-*
    platforms=$(for glibc in 17 27 28; do echo "--platform manylinux_2_${glibc}_aarch64"; done)
    # shellcheck disable=SC2086
    "$PYTHON" -m pip --disable-pip-version-check -qq install --target "$HERE/site" --only-binary :all: \
        $platforms --platform manylinux2014_aarch64 --python-version "${target#python}" "numpy==$numpy"
    touch "$HERE/numpy-$numpy"
fi

# Python's own way to build for another one: it reads the settings of that one.
echo "test-aarch64: compiling"
mkdir -p "$HERE/settings"
cp "$ROOT/usr/lib/$target"/_sysconfigdata__aarch64-linux-gnu.py "$HERE/settings"
rm -rf "$HERE/lib"
env PYTHONPATH="$HERE/settings" _PYTHON_SYSCONFIGDATA_NAME=_sysconfigdata__aarch64-linux-gnu \
    _PYTHON_HOST_PLATFORM=linux-aarch64 CC=aarch64-linux-gnu-gcc FUSEDLOSS_LEVELS=base \
    FUSEDLOSS_EMULATOR="qemu-aarch64 -L $ROOT" \
    CFLAGS="-I$ROOT/usr/include/$target -idirafter $ROOT/usr/include" \
    "$PYTHON" setup.py -q build --build-lib "$HERE/lib" --build-temp "$HERE/objects"
export PYTHONPATH="$HERE/lib:$HERE/site" OMP_WAIT_POLICY=passive
run tests/smoke.py --wheel
