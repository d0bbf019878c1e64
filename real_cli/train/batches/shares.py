"""Which examples of a batch are which process's: those of one prompt stay together."""

from collections.abc import Iterator, Sequence
from typing import Any

from accelerate.data_loader import prepare_data_loader
from torch.utils.data import BatchSampler, DataLoader, Sampler

from real_cli.train.tokenized import PROMPT
from real_cli.train.world import World


def share_out(prompts: Sequence[int], num_shares: int) -> list[list[int]]:
    """Share the examples of a batch out, those of one prompt together: it is read once for all of them.

    Args:
        prompts: The prompt of each example, in any numbers.
        num_shares: How many processes there are.

    Returns:
        The places of the examples in the batch, share by share. Only a prompt with more examples than an even share
        has is divided; where there are too few examples the last shares are empty.

    Example:
        >>> share_out([1, 2, 1, 3, 4], 2)
        [[0, 2, 4], [1, 3]]
    """
    most = -(-len(prompts) // num_shares)
    groups: dict[int, list[int]] = {}
    for place, prompt in enumerate(prompts):
        groups.setdefault(prompt, []).append(place)
    parts = [group[start : start + most] for group in groups.values() for start in range(0, len(group), most)]
    shares: list[list[int]] = [[] for _ in range(num_shares)]
    for part in sorted(parts, key=len, reverse=True):
        min(shares, key=len).extend(part)
    return [sorted(share) for share in shares]


class BatchShares(BatchSampler):  # type: ignore[misc]  # torch is not followed
    """The batches of a run, and of each of them what is this process's.

    So a step has the pairs that it has in a single process, in whatever number of processes, and a run that goes on
    in another number skips whole batches. An incomplete batch is shared out too, and a process may get nothing of it.
    """

    def __init__(self, sampler: "Sampler[int]", batch_size: int, prompts: Sequence[int], world: World) -> None:
        super().__init__(sampler, batch_size, drop_last=False)
        self._prompts = prompts
        self._world = world

    def __iter__(self) -> Iterator[list[int]]:
        for batch in super().__iter__():
            shares = share_out([self._prompts[row] for row in batch], self._world.size)
            yield [batch[place] for place in shares[self._world.rank]]


def sharing_loader(rows: Any, sampler: "Sampler[int]", batch_size: int, world: World, device: Any, **given: Any) -> Any:
    """Make the loader of what is this process's in each batch, on its device.

    accelerate believes that it loads for one process alone. For several it would give every process whole batches in
    turn (BatchSamplerShard), and fill the last ones up with earlier pairs: other steps, and other losses, than those
    of one process. Its order by seed and epoch (SeedableRandomSampler) is what a single process has too.
    """
    prompts = rows.with_format("numpy")[PROMPT][:].tolist()
    loader: Any = DataLoader(rows, batch_sampler=BatchShares(sampler, batch_size, prompts, world), **given)
    return prepare_data_loader(
        loader, device, num_processes=1, process_index=0, put_on_device=True, use_seedable_sampler=True
    )
