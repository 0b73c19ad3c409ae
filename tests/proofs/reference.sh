#!/bin/sh
# The scores of whole epochs against an independent reading of the spec in Python.
set -eu
build=${1:-build/release}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 "$(dirname "$0")/reference.py" "$build/tally" data/us_stocks_daily_close.csv.gz "$folder"
