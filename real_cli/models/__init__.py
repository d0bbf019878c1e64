"""Things with weights. Nothing here knows of record files, flags or printing. May import report and below.

Settings that libraries read once, on import, are made here, because every module of this room runs it first.
"""

import os

# TRL and the hub report usage by default, and draw bars into pipes and logs. A user's own setting wins.
for _name in ("HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_PROGRESS_BARS", "TQDM_DISABLE"):
    os.environ.setdefault(_name, "1")
# Batches are tokenized in our process; the warning about forks concerns others.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
