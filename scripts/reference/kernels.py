"""Reference values of the AdamW kernel, by PyTorch: writes crates/kernels/tests/reference/adamw.tsv.

Run from the repository's root: python scripts/reference/kernels.py
"""

from pathlib import Path

import torch

SCALES = [0.0, 1e-12, 1e-6, 1e-3, 1.0, 1e3, 1e6]


def main() -> None:
    generator = torch.Generator().manual_seed(1)
    before = torch.randn(8 * len(SCALES), generator=generator)
    # Gradients of very different sizes, zero included: epsilon matters for the smallest.
    scales = torch.tensor(SCALES).repeat_interleave(8)
    gradients = [torch.randn(before.shape, generator=generator) * scales for _ in range(3)]
    parameter = torch.nn.Parameter(before.clone())
    optimizer = torch.optim.AdamW([parameter], lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)
    after = []
    for gradient in gradients:
        parameter.grad = gradient.clone()
        optimizer.step()
        after.append(parameter.detach().clone())
    columns = [before, *gradients, *after]
    names = ["before", "gradient1", "gradient2", "gradient3", "after1", "after2", "after3"]
    lines = ["\t".join(names)]
    lines += ["\t".join(f"{value:.9g}" for value in row) for row in torch.stack(columns, dim=1).tolist()]
    Path("crates/kernels/tests/reference/adamw.tsv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
