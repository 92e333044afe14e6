"""The PyTorch twin of crates/model/benches/model.rs: forward pass and training step, same shapes, same work.

    training_step.py [--threads 2] [--repeats 5] [--device cpu]

Prints one line a measurement: size, what, median milliseconds, tokens per second. Divide the Rust times by these.
"""

import argparse
import statistics
import time

import torch
from transformers import BertConfig, BertForTokenClassification

SIZES = {"a-4x256": (4, 256, 4, 8_000), "b-12x384": (12, 384, 12, 30_000)}
ROWS, SEQ, LABELS = 16, 128, 7


def build(layers, hidden, heads, vocabulary, device):
    config = BertConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=hidden * 4,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        num_labels=LABELS,
    )
    return BertForTokenClassification._from_config(config, attn_implementation="sdpa").to(device)


def optimizer_of(model):
    decayed = [p for n, p in model.named_parameters() if not (n.endswith("bias") or "LayerNorm" in n)]
    plain = [p for n, p in model.named_parameters() if n.endswith("bias") or "LayerNorm" in n]
    groups = [{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=1e-5)


def median_ms(work, repeats, device):
    def timed():
        start = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        return (time.perf_counter() - start) * 1000

    for _ in range(2):
        timed()
    return statistics.median(timed() for _ in range(repeats))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    for name, (layers, hidden, heads, vocabulary) in SIZES.items():
        model = build(layers, hidden, heads, vocabulary, arguments.device)
        optimizer = optimizer_of(model)
        count = torch.arange(ROWS * SEQ, device=arguments.device)
        ids = (5 + count * 7_919 % (vocabulary - 5)).reshape(ROWS, SEQ)
        labels = (count % LABELS).reshape(ROWS, SEQ)
        mask = torch.ones_like(ids)

        def forward():
            with torch.inference_mode():
                model(input_ids=ids, attention_mask=mask)

        def step():
            loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            float(loss.detach())

        for what, work in (("forward", forward), ("training-step", step)):
            milliseconds = median_ms(work, arguments.repeats, arguments.device)
            print(f"{name}\t{what}\t{milliseconds:.1f} ms\t{ROWS * SEQ / milliseconds * 1000:.0f} tokens/s", flush=True)


if __name__ == "__main__":
    main()
