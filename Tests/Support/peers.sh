#!/usr/bin/env bash
# Makes .build/peers, a virtual environment of Python with pyarrow, against which the tests hold the
# Parquet reader and writer, and with webdataset and Pillow, which read our shards. Nothing happens where
# they are there already.
set -euo pipefail
cd "$(dirname "$0")/../.."
peers=.build/peers
pyarrow=26.0.1
numpy=2.4.6
webdataset=1.0.2
pillow=13.0.0

if "$peers/bin/python" - "pyarrow==$pyarrow" "webdataset==$webdataset" "pillow==$pillow" <<'CHECK' 2>/dev/null
import importlib.metadata as metadata, sys
sys.exit(any(metadata.version(name) != version for name, version in (wanted.split("==") for wanted in sys.argv[1:])))
CHECK
then
  exit 0
fi
mkdir -p .build
python3 -m venv --clear "$peers"
"$peers/bin/python" -m pip install --quiet --disable-pip-version-check \
  "pyarrow==$pyarrow" "numpy==$numpy" "webdataset==$webdataset" "pillow==$pillow"
