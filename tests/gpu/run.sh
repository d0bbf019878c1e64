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
case "${1:-checks}" in
  checks) shift || true
    python3 -m pytest tests/gpu -q -p no:cacheprovider -p no:xdist -W ignore --tb=short --durations=15 -rfE --show-capture=stderr "$@" ;;
  bench) python3 -m tests.gpu.bench ;;
esac
