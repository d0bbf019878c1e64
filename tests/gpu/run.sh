#!/usr/bin/env bash
# The checks or the figures, on a machine with a GPU; README.md says what must lie beside the repository.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ -d .whl ]; then
  python3 -m pip install -q --no-index --no-deps --no-compile --no-cache-dir --upgrade --target /tmp/site .whl/*.whl
  export PYTHONPATH="/tmp/site:$PWD"
fi
export HF_HUB_OFFLINE=1 TRANSFORMERS_VERBOSITY=error PYTHONUNBUFFERED=1 TOKENIZERS_PARALLELISM=false
python3 -c 'import torch; print(torch.__version__, torch.cuda.get_device_name(0) if torch.cuda.is_available() else "no GPU")'
out=${OUT:-/tmp}
what=${1:-checks}
shift || true
case "$what" in
  checks)
    files=$(printf 'tests/gpu/test_gpu_%s.py ' life training scoring sampling memory)
    limit=$(python3 -c 'import pytest_timeout' 2> /dev/null && echo --timeout=200 || true)
    # Four processes share the GPU: most of a test is Python.
    many=$(python3 -c 'import torch, xdist; assert torch.cuda.is_available()' 2> /dev/null && printf -- '-n 4' || true)
    [ -z "$many" ] || export OMP_NUM_THREADS=4
    python3 -m pytest $files $limit $many -q -p no:cacheprovider -W ignore --tb=short --durations=15 -rfE "$@" 2>&1 |
      tee "$out/checks.log"
    ;;
  bench) python3 -m tests.gpu.bench "$@" 2> "$out/bench.err" | tee "$out/bench.jsonl" || tail -20 "$out/bench.err" ;;
esac
