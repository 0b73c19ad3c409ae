#!/bin/sh
# faults.sh [BUILD]: ten epochs while coordinators, workers, the database and the object store are killed at random.
set -eu
cd "$(dirname "$0")/../.."
export PYTHONDONTWRITEBYTECODE=1
scripts/fetch-versitygw || true # without it, the object store is a folder
exec /usr/bin/python3 tests/services/faults.py
