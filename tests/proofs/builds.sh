#!/bin/sh
# builds.sh [BUILD]: validators of three builds on the same epochs come to one hash: gcc -O0, gcc -O3, clang -O2.
set -eu
cd "$(dirname "$0")/../.."
export PYTHONDONTWRITEBYTECODE=1
exec /usr/bin/python3 tests/services/builds.py
