"""What srun tells its tasks."""

import pytest

from real_cli.train.devices.slurm import adopt_slurm

TASK = {
    "SLURM_PROCID": "5",
    "SLURM_LOCALID": "1",
    "SLURM_STEP_NUM_TASKS": "8",
    "SLURM_STEP_TASKS_PER_NODE": "4(x2)",
    "SLURM_STEP_NODELIST": "gpu[007-008]",
    "SLURM_JOB_ID": "1234",
    "SLURM_STEP_ID": "2",
}


def test_a_task_of_srun_is_a_process_of_a_run():
    environment = dict(TASK)
    adopt_slurm(environment)
    assert {name: value for name, value in environment.items() if name not in TASK} == {
        "RANK": "5",
        "LOCAL_RANK": "1",
        "WORLD_SIZE": "8",
        "LOCAL_WORLD_SIZE": "4",
        "MASTER_ADDR": "gpu007",
        "MASTER_PORT": str(20000 + 1234 * 7 + 2),
    }


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"SLURM_PROCID": "0", "SLURM_NTASKS": "8", "SLURM_JOB_ID": "1"},  # the script of sbatch itself
        TASK | {"SLURM_STEP_NUM_TASKS": "1"},
        TASK | {"SLURM_STEP_NUM_TASKS": ""},
        TASK | {"RANK": "0", "WORLD_SIZE": "2"},  # torchrun in a task of srun
    ],
)
def test_what_is_no_task_among_others_stays_as_it_is(environment):
    before = dict(environment)
    adopt_slurm(environment)
    assert environment == before


def test_what_the_user_sets_stays():
    environment = TASK | {"MASTER_ADDR": "10.0.0.1", "MASTER_PORT": "4242"}
    adopt_slurm(environment)
    assert (environment["MASTER_ADDR"], environment["MASTER_PORT"]) == ("10.0.0.1", "4242")


def test_numbers_of_slurm_that_are_none_choose_a_port_all_the_same():
    environment = TASK | {"SLURM_JOB_ID": "12_3", "SLURM_STEP_ID": "batch"}
    adopt_slurm(environment)
    assert environment["MASTER_PORT"] == "20000"
