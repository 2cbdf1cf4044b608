"""A worker with what training really starts: four processes that load data, and torchrun with two."""

import subprocess
import sys
import time
from pathlib import Path

import torch
from torch.utils.data import DataLoader, Dataset

from ftkit.workers.harness import Worker, run


class Rows(Dataset[torch.Tensor]):
    """Slow rows without end."""

    def __len__(self) -> int:
        return 10**9

    def __getitem__(self, index: int) -> torch.Tensor:
        time.sleep(0.05)
        return torch.tensor(index)


def train(worker: Worker) -> dict[str, int]:
    script = worker.path / "rank.py"
    script.write_text(
        "import os, signal, time\n"
        "from pathlib import Path\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "Path(f'rank-{os.environ[\"RANK\"]}').touch()\n"
        "time.sleep(600)\n"
    )
    torchrun = ["torch.distributed.run", "--nproc_per_node", "2", "--master_port", "0", str(script)]
    subprocess.Popen([sys.executable, "-m", *torchrun])
    for step, _ in enumerate(DataLoader(Rows(), batch_size=2, num_workers=4), 1):
        ranks = len(list(Path(worker.path).glob("rank-*")))
        worker.progress("training", step, 10**9, ranks=ranks)
    return {}


if __name__ == "__main__":
    run(train)
