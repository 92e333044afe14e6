"""One encoder layer, forward and backward, in PyTorch: the peer of the `layer` benchmark of crates/kernels.

Run from the repository's root: python scripts/bench/layer.py [--rounds 3]
Each round times PyTorch and then `cargo bench -p kernels -- layer`, so that both see the same machine, on the same
number of threads; the last lines give the ratio of the medians.
"""

import argparse
import json
import os
import statistics
import subprocess
import time
from pathlib import Path

import torch
from torch import nn

BATCH, SEQUENCE = 16, 128
MODELS = {"A": (256, 4, 1024), "B": (384, 12, 1536)}


class Layer(nn.Module):
    def __init__(self, hidden: int, heads: int, inner: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(hidden, hidden) for _ in range(4))
        self.norm1, self.norm2 = nn.LayerNorm(hidden), nn.LayerNorm(hidden)
        self.up, self.down = nn.Linear(hidden, inner), nn.Linear(inner, hidden)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, sequence, hidden = x.shape
        heads = [
            f(x).view(batch, sequence, self.heads, -1).transpose(1, 2) for f in (self.query, self.key, self.value)
        ]
        context = nn.functional.scaled_dot_product_attention(*heads)
        context = context.transpose(1, 2).reshape(batch, sequence, hidden)
        middle = self.norm1(x + self.out(context))
        return self.norm2(middle + self.down(nn.functional.gelu(self.up(middle))))


def time_torch(name: str, steps: int) -> list[float]:
    hidden, heads, inner = MODELS[name]
    torch.manual_seed(1)
    layer = Layer(hidden, heads, inner)
    x = torch.randn(BATCH, SEQUENCE, hidden, requires_grad=True)
    dy = torch.randn(BATCH, SEQUENCE, hidden)
    times = []
    for step in range(steps + 3):
        layer.zero_grad(set_to_none=True)
        x.grad = None
        start = time.perf_counter()
        layer(x).backward(dy)
        if step >= 3:
            times.append((time.perf_counter() - start) * 1e3)
    return times


def time_kernels(threads: int) -> dict[str, list[float]]:
    environment = {**os.environ, "RAYON_NUM_THREADS": str(threads)}
    command = ["cargo", "bench", "-q", "-p", "kernels", "--bench", "kernels", "--", "layer", "--measurement-time", "4", "--sample-size", "20"]
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    target = Path(os.environ.get("CARGO_TARGET_DIR", "target"))
    times = {}
    for name in MODELS:
        sample = json.loads((target / "criterion" / name / "layer" / "new" / "sample.json").read_text())
        times[name] = [t / n * 1e-6 for t, n in zip(sample["times"], sample["iters"])]
    return times


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    peer, ours = {name: [] for name in MODELS}, {name: [] for name in MODELS}
    for _ in range(arguments.rounds):
        for name, times in time_kernels(arguments.threads).items():
            ours[name] += times
            peer[name] += time_torch(name, 20)
    for name in MODELS:
        a, b = (statistics.median(times[name]) for times in (peer, ours))
        low_a, low_b = (min(times[name]) for times in (peer, ours))
        print(f"{name}: PyTorch {torch.__version__} {a:.1f} ms, kernels {b:.1f} ms")
        print(f"{name}: ratio of medians {a / b:.2f}, of minima {low_a / low_b:.2f}")


if __name__ == "__main__":
    main()
