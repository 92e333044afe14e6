"""The PyTorch twin of crates/model/benches/step.rs: same shapes, same work. compare_step.py lets both take turns.

    training_step.py 12x384 step-dropout [--repeats 5] [--threads 2] [--device cpu]
    training_step.py 12x384 step-dropout --worker

Prints the median; as a worker it answers a number of repetitions, one a line, with the seconds of each.
Attention is PyTorch's fused one and AdamW its fused one unless --attention and --optimizer say otherwise.
"""

import argparse
import statistics
import sys
import time

import torch
from torch import nn
from transformers import BertConfig, BertForTokenClassification

# Layers, hidden, heads, vocabulary: crates/model/benches/encoder.rs.
SIZES = {"4x256": (4, 256, 4, 8_000), "12x384": (12, 384, 12, 30_000), "12x768": (12, 768, 12, 30_000)}
WHATS = ("forward", "step", "step-dropout", "frozen-half", "adapters", "products")
ROWS, SEQ, LABELS = 16, 128, 7
REDUCTION = 16


class AdapterOutput(nn.Module):
    """BERT's output sub-layer with a bottleneck adapter as AdapterHub's `seq_bn` places it (Pfeiffer et al. 2021)."""

    def __init__(self, plain: nn.Module, hidden: int) -> None:
        super().__init__()
        self.dense, self.norm, self.dropout = plain.dense, plain.LayerNorm, plain.dropout
        self.down, self.up = nn.Linear(hidden, hidden // REDUCTION), nn.Linear(hidden // REDUCTION, hidden)

    def forward(self, hidden_states: torch.Tensor, input_tensor: torch.Tensor) -> torch.Tensor:
        output = self.dropout(self.dense(hidden_states))
        inner = torch.relu(self.down(self.norm(output + input_tensor)))
        return self.norm(self.up(inner) + output + input_tensor)


def build(size: str, dropout: float, attention: str, device: torch.device) -> BertForTokenClassification:
    layers, hidden, heads, vocabulary = SIZES[size]
    config = BertConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=hidden * 4,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        num_labels=LABELS,
    )
    torch.manual_seed(1)
    return BertForTokenClassification._from_config(config, attn_implementation=attention).to(device)


def freeze(modules) -> None:
    """No gradients, and no dropout either, as in the learner."""
    for module in modules:
        module.eval().requires_grad_(False)


def adapters_only(model: BertForTokenClassification) -> None:
    freeze([model.bert])
    for layer in model.bert.encoder.layer:
        layer.output = AdapterOutput(layer.output, model.config.hidden_size).eval()


def optimizer_of(model: nn.Module, which: str) -> torch.optim.Optimizer:
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    is_plain = lambda name: name.endswith("bias") or "LayerNorm" in name
    decayed, plain = [[p for name, p in named if is_plain(name) == yes] for yes in (False, True)]
    groups = [{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=1e-5, **({} if which == "plain" else {which: True}))


def products(size: str):
    """The products of one layer's six weights: forward, gradient of the input, gradient of the weight."""
    hidden = SIZES[size][1]
    shapes = [(hidden, hidden)] * 4 + [(hidden, 4 * hidden), (4 * hidden, hidden)]
    operands = [(torch.rand(ROWS * SEQ, i), torch.rand(o, i), torch.rand(ROWS * SEQ, o)) for i, o in shapes]

    def work() -> None:
        with torch.inference_mode():
            for x, weight, dy in operands:
                _ = x @ weight.T
                _ = dy @ weight
                _ = dy.T @ x

    return work


def work(arguments: argparse.Namespace):
    size, what, device = arguments.size, arguments.what, arguments.device
    if what == "products":
        return products(size)
    model = build(size, 0.0 if what in ("forward", "step") else 0.1, arguments.attention, device)
    vocabulary = SIZES[size][3]
    count = torch.arange(ROWS * SEQ, device=device)
    ids = (5 + count * 7_919 % (vocabulary - 5)).reshape(ROWS, SEQ)
    labels = (count % LABELS).reshape(ROWS, SEQ)

    if what == "forward":
        model.eval()

        def forward() -> None:
            with torch.inference_mode():
                model(input_ids=ids)

        return forward

    model.train()
    if what == "frozen-half":
        layers = model.bert.encoder.layer
        freeze([model.bert.embeddings, *layers[: len(layers) // 2]])
    if what == "adapters":
        adapters_only(model)
    optimizer = optimizer_of(model, arguments.optimizer)
    trained = [p for p in model.parameters() if p.requires_grad]

    def step() -> None:
        loss = model(input_ids=ids, labels=labels).loss
        loss.backward()
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        float(loss.detach())

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", choices=SIZES)
    parser.add_argument("what", choices=WHATS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    parser.add_argument("--attention", choices=("sdpa", "eager"), default="sdpa")
    parser.add_argument("--optimizer", choices=("fused", "foreach", "plain"), default="fused")
    parser.add_argument("--worker", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    once = work(arguments)

    def timed() -> float:
        start = time.perf_counter()
        once()
        if arguments.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - start

    if arguments.worker:
        for line in sys.stdin:
            print(*(timed() for _ in range(int(line))), flush=True)
        return
    for _ in range(2):
        timed()
    seconds = statistics.median(timed() for _ in range(arguments.repeats))
    print(f"{arguments.size}\t{arguments.what}\t{seconds * 1e3:.1f} ms\t{ROWS * SEQ / seconds:.0f} tokens/s")


if __name__ == "__main__":
    main()
