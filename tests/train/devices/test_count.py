"""How many processes start, and what each of them takes."""

import types

import pytest
import torch

from real_cli.errors import RealError, UsageError
from real_cli.models.load.device import Place
from real_cli.train.devices import count
from real_cli.train.devices.count import (
    check_devices,
    check_launched,
    device_of,
    processes_wanted,
    say_devices,
    share_threads,
)
from real_cli.train.world import World


@pytest.fixture
def four_gpus(monkeypatch):
    """A machine with four GPUs, as torch would tell."""
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 4)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: types.SimpleNamespace(type="cuda"))


@pytest.mark.parametrize("devices", ["0", "-1", "two", "", "1.5", "²"])
def test_only_auto_all_and_numbers_from_1_are_devices(devices):
    with pytest.raises(UsageError, match=f"--devices {devices!r}: auto, all, or a number from 1 to 1,024 is needed"):
        check_devices(devices, "auto")


def test_a_device_with_a_number_is_one_device():
    check_devices("1", "cuda:1")
    check_devices("auto", "cuda:1")
    with pytest.raises(UsageError, match="--device cuda:1, --devices all: .* write --device cuda for several"):
        check_devices("all", "cuda:1")
    with pytest.raises(UsageError, match="--device cuda:1: 2 processes cannot share it; write --device cuda"):
        check_launched("auto", "cuda:1", World(1, 1, 2, 2))


def test_a_launcher_has_started_as_many_as_are_asked_for():
    check_launched("all", "auto", World(0, 0, 2, 2))
    check_launched("2", "auto", World(0, 0, 2, 2))
    for world in (World(), World(0, 0, 4, 4)):
        with pytest.raises(UsageError, match=f"--devices 2: the launcher started {world.size}; leave --devices out"):
            check_launched("2", "auto", world)


def test_a_cpu_is_one_device_that_any_number_of_processes_share():
    assert [processes_wanted(devices, "cpu") for devices in ("auto", "all", "1", "3")] == [1, 1, 1, 3]
    assert device_of("cpu", World(1, 1, 2, 2)) == "cpu"


def test_more_processes_than_cores_carry_are_a_slip(monkeypatch):
    monkeypatch.setattr(count, "num_cores", lambda: 4)
    assert processes_wanted("16", "cpu") == 16
    with pytest.raises(UsageError, match="--devices 17: a CPU of 4 cores takes at most 16 processes"):
        processes_wanted("17", "cpu")


@pytest.mark.parametrize("threads", ["x", "0", "4,2", ""])
def test_threads_that_are_no_number_are_named(threads):
    with pytest.raises(UsageError, match=f"OMP_NUM_THREADS is '{threads}'; with several processes a number from 1"):
        share_threads({"OMP_NUM_THREADS": threads}, 2)


def test_gpus_are_counted_and_each_process_takes_its_own(four_gpus):
    assert [processes_wanted(devices, "auto") for devices in ("auto", "all", "1", "3")] == [1, 4, 1, 3]
    assert processes_wanted("6", "cpu") == 6
    with pytest.raises(UsageError, match="--devices 5: there are 4; or write all"):
        processes_wanted("5", "cuda")
    assert [device_of(name, World(6, 2, 8, 4)) for name in ("auto", "cuda", "cpu")] == ["cuda:2", "cuda:2", "cpu"]
    assert device_of("auto", World()) == "auto"
    with pytest.raises(RealError, match="8 processes and 4 devices on this machine"):
        device_of("auto", World(0, 0, 8, 8))


def test_a_process_that_sees_one_gpu_takes_it(four_gpus, monkeypatch):
    """As under `srun --gpus-per-task 1`."""
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 1)
    assert device_of("auto", World(3, 3, 8, 8)) == "cuda:0"


def test_a_run_on_one_device_of_several_says_what_all_would_take(four_gpus):
    place = Place(torch.device("cuda", 2), torch.bfloat16)
    assert say_devices(place, World()) == "cuda:2, bfloat16, the freest of 4 (--devices all takes all)"
    assert say_devices(place, World(0, 0, 4, 4)) == "4 cuda devices, bfloat16"
    place = Place(torch.device("cpu"), torch.float32)
    assert say_devices(place, World()) == "cpu, float32"
    assert say_devices(place, World(0, 0, 2, 2)) == "2 CPU processes, float32"


def test_processes_share_the_cores_unless_the_user_says(monkeypatch):
    monkeypatch.setattr(count.os, "sched_getaffinity", lambda pid: range(8))
    environments = [{}, {}, {"OMP_NUM_THREADS": "5"}]
    for environment, number in zip(environments, (2, 16, 2), strict=True):
        share_threads(environment, number)
    assert [environment["OMP_NUM_THREADS"] for environment in environments] == ["4", "1", "5"]
