#!/usr/bin/env bash
# Makes .build/peers, a virtual environment of Python with pyarrow, against which the tests hold the
# Parquet reader and writer. Nothing happens where it is there already.
set -euo pipefail
cd "$(dirname "$0")/../.."
peers=.build/peers
pyarrow=26.0.1
numpy=2.4.6

if "$peers/bin/python" -c "import pyarrow, sys; sys.exit(pyarrow.__version__ != '$pyarrow')" 2>/dev/null; then
  exit 0
fi
mkdir -p .build
python3 -m venv --clear "$peers"
"$peers/bin/python" -m pip install --quiet --disable-pip-version-check "pyarrow==$pyarrow" "numpy==$numpy"
