#!/bin/sh
# Set-up for the Makefile: makes .venv, and installs what a lock names when that lock changed.
#   setup.sh run                what serving needs
#   setup.sh test               that, the tools of the tests, and the programs that tests start
#   setup.sh lock [--upgrade]   writes the locks anew
# PYTHON=/path/to/python chooses the interpreter.
set -eu
cd "$(dirname "$0")/.."

# Programs that tests start, each with the system package that brings it.
test_programs='git:git curl:curl node:nodejs openssl:openssl'

main() {
    case "${1-}" in
        run) install_lock run ;;
        test) install_programs; install_lock run; install_lock dev ;;
        lock) shift; write_locks "$@" ;;
        *) fail "usage: tools/setup.sh run | test | lock [--upgrade]" ;;
    esac
}

say() { printf '%s\n' "$*" >&2; }

fail() { say "Set-up stopped: $*"; exit 1; }

# A lock is installed again when it, pyproject.toml or the place of this directory changed.
install_lock() {
    lock="requirements/$1.txt" stamp=".venv/$1.stamp"
    wanted=$(cksum "$lock" pyproject.toml; pwd)
    is_installed && return
    one_at_a_time
    is_installed && return
    if ! venv_works; then
        make_venv
    elif [ -e "$stamp" ] || [ "$1" = run ]; then
        say "Bringing .venv in step with $lock"
    else
        say "Adding the tools of the tests to .venv (once, about a minute)"
    fi
    : >.venv/unfinished
    pip_install --require-hashes -r "$lock" || fail "pip could not install $lock; its message stands above."
    if [ "$1" = run ]; then
        pip_install --no-deps --no-build-isolation -e . || fail "pip could not install the project itself."
    fi
    printf '%s\n' "$wanted" >"$stamp"
    rm -f .venv/unfinished
}

is_installed() {
    [ -x .venv/bin/python ] && [ ! -e .venv/unfinished ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]
}

# Wheels only: building from source would fetch tools to build with, which no lock holds.
pip_install() {
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --only-binary :all: "$@"
}

one_at_a_time() {
    if [ "${locked-}" ] || ! command -v flock >/dev/null 2>&1; then return; fi
    exec 9<tools/setup.sh
    flock -n 9 || { say "Waiting for another set-up of this directory to end"; flock 9; }
    locked=yes
}

# The file "unfinished" is left by a set-up that was interrupted: what it made is not to be trusted.
venv_works() {
    [ ! -e .venv/unfinished ] && is_new_enough .venv/bin/python && .venv/bin/python -c 'import pip' >/dev/null 2>&1
}

make_venv() {
    find_python
    say "Setting up .venv (once, about a minute)"
    rm -rf .venv
    mkdir .venv
    : >.venv/unfinished
    "$found" -m venv .venv || fail "'$found -m venv .venv' did not succeed; its message stands above."
}

# Sets $found to a Python that is new enough and can make a virtual environment; on Debian the second is a package.
# Linux distributions build theirs with profiles and link it whole, which one built by hand seldom is: the system's own
# serves with a quarter less processor time (docs/performance.md).
find_python() {
    found='' half=''
    if [ "${PYTHON-}" ]; then
        set -- "$PYTHON"
    else
        set -- python3.13 python3.12 python3.11 python3
        [ "$(uname)" != Linux ] || set -- /usr/bin/python3 "$@"
    fi
    for candidate; do
        is_new_enough "$candidate" || continue
        if makes_venvs "$candidate"; then found=$candidate; return; fi
        half=${half:-$candidate}
    done
    [ "$half" ] || fail "Shipledger needs Python 3.11 or newer, and none of these is: $*.
Install one, or name it: make PYTHON=/path/to/python run"
    install_packages "$("$half" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')" \
        "'$half' cannot make virtual environments (its ensurepip is missing)"
    makes_venvs "$half" || fail "'$half' still cannot make virtual environments (its ensurepip is missing)."
    found=$half
}

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

makes_venvs() { "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; }

install_programs() {
    for pair in $test_programs; do
        command -v "${pair%%:*}" >/dev/null 2>&1 || install_packages "${pair##*:}" "the tests start '${pair%%:*}'"
    done
}

# install_packages "PACKAGE ..." "why": as root on a system with apt-get; anyone else is told what to install.
install_packages() {
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
        fail "$2.
Please install the system package '$1' (Debian, Ubuntu: sudo apt-get install $1), then run this again."
    fi
    say "Installing the system package $1: $2"
    log=$(mktemp)
    # shellcheck disable=SC2086 # one word a package
    if ! { apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $1; } \
        >"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        fail "apt-get could not install $1; its messages stand above."
    fi
    rm -f "$log"
}

# The versions in a lock stay unless --upgrade is given or pyproject.toml asks for others.
write_locks() {
    tool=.venv/lock-tool/bin
    if [ ! -x $tool/uv ]; then
        find_python
        say "Installing uv into .venv/lock-tool (once)"
        "$found" -m venv .venv/lock-tool
        $tool/python -m pip install --quiet --disable-pip-version-check --no-input --only-binary :all: \
            --require-hashes -r requirements/lock.txt
    fi
    compile run pyproject.toml --group build "$@"
    compile dev pyproject.toml --group dev --constraint requirements/run.txt "$@"
    compile lock --group lock "$@"
}

compile() {
    name=$1
    shift
    say "Writing requirements/$name.txt"
    $tool/uv pip compile -q --system-certs --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-annotate --no-header -o "requirements/$name.txt" "$@"
}

main "$@"
