#!/bin/sh
# Codes, flags, ranks and money of whole epochs against a second independent reading of the spec in Python.
set -eu
build=${1:-build/release}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
PYTHONDONTWRITEBYTECODE=1 python3 "$(dirname "$0")/reference_flags.py" "$build/tally" "$folder"
