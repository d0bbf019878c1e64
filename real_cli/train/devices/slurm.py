"""What `srun` tells its tasks, in the words that torch reads."""

import re
from collections.abc import Mapping, MutableMapping

# Ports that no service is registered for; a job and its step choose one, so that two on one machine differ.
FIRST_PORT, NUM_PORTS = 20000, 20000
NAMES = (("RANK", "SLURM_PROCID"), ("LOCAL_RANK", "SLURM_LOCALID"), ("WORLD_SIZE", "SLURM_STEP_NUM_TASKS"))


def adopt_slurm(environment: MutableMapping[str, str]) -> None:
    """Take a task of srun for a process of a run; what another launcher or the user set stays.

    The script of sbatch has SLURM_PROCID too and is no task: only srun counts the tasks of a step.
    """
    if "RANK" in environment or _number(environment, "SLURM_STEP_NUM_TASKS") < 2:
        return
    if "SLURM_PROCID" not in environment:
        return
    for name, slurm_name in NAMES:
        environment.setdefault(name, environment.get(slurm_name, "0"))
    per_node = environment.get("SLURM_STEP_TASKS_PER_NODE", "1").partition("(")[0].partition(",")[0]
    environment.setdefault("LOCAL_WORLD_SIZE", per_node)
    environment.setdefault("MASTER_ADDR", first_host(environment.get("SLURM_STEP_NODELIST", "127.0.0.1")))
    number = _number(environment, "SLURM_JOB_ID") * 7 + _number(environment, "SLURM_STEP_ID")
    environment.setdefault("MASTER_PORT", str(FIRST_PORT + number % NUM_PORTS))


def _number(environment: Mapping[str, str], name: str) -> int:
    """Read a number that Slurm sets; what is none, or absent, counts as 0."""
    value = environment.get(name, "")
    return int(value) if value.isascii() and value.isdecimal() else 0


def first_host(hosts: str) -> str:
    """Return the first host of a list as Slurm writes it.

    >>> first_host("gpu[007-009,12],login"), first_host("a,b"), first_host("rack[1-2]node[05,7]")
    ('gpu007', 'a', 'rack1node05')
    """
    first = re.match(r"(?:\[[^\]]*\]|[^,\[])*", hosts)
    return re.sub(r"\[(\w+)[^\]]*\]", r"\1", first[0] if first else hosts)
