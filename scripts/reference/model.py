"""Reference values for crates/model from PyTorch and transformers, and a check of folders that it saves.

    model.py --tiny            rewrites crates/model/tests/reference/{bert,xlm-roberta}-{tokens,spans,classes}/
    model.py --real FOLDER     rewrites crates/model/tests/reference/e5-small.json from multilingual-e5-small-64k
    model.py --check FOLDER    loads FOLDER with transformers and compares its logits with FOLDER/check.json

Everything is computed in float64, so that what is left of a difference is the Rust side's own rounding.
Versions the committed files were made with: torch 2.15.0, transformers 5.23.0.
"""

import argparse
import json
import math
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import (
    AutoModelForMultipleChoice,
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    BertConfig,
    XLMRobertaConfig,
)

REFERENCE = Path(__file__).resolve().parents[2] / "crates/model/tests/reference"
HEADS = {
    "tokens": (AutoModelForTokenClassification, 7),
    "spans": (AutoModelForQuestionAnswering, 2),
    "classes": (AutoModelForSequenceClassification, 3),
}
IGNORED = -100
STEPS, WARM_UP, CLIP = 100, 10, 1.0
PROJECTIONS = 8


def targets(head, lengths, seq, generator, count=None):
    """Random targets as the Rust side's batches hold them, of `count` labels."""
    rows, count = len(lengths), count or HEADS[head][1]
    if head == "tokens":
        labels = torch.randint(0, count, (rows, seq), generator=generator)
        # Later pieces of words bear no label; the first token of the longest row keeps the batch countable.
        labels[torch.rand((rows, seq), generator=generator) < 0.3] = IGNORED
        for row, length in enumerate(lengths):
            labels[row, length:] = IGNORED
        labels[0, 0] = 3
        return {"labels": labels}
    if head == "classes":
        return {"labels": torch.randint(0, count, (rows,), generator=generator)}
    starts = [int(torch.randint(0, length, (1,), generator=generator)) for length in lengths]
    ends = [int(torch.randint(start, length, (1,), generator=generator)) for start, length in zip(starts, lengths)]
    return {"starts": torch.tensor(starts), "ends": torch.tensor(ends)}


def mask_of(lengths, seq):
    return (torch.arange(seq)[None, :] < torch.tensor(lengths)[:, None]).long()


def forward(model, head, batch):
    """Logits [rows, ...] and the mean loss; spans are a softmax over the row's real tokens."""
    mask = mask_of(batch["lengths"], batch["ids"].shape[1])
    out = model(input_ids=batch["ids"], attention_mask=mask, token_type_ids=batch["type_ids"])
    cross_entropy = torch.nn.functional.cross_entropy
    if head == "tokens":
        return out.logits, cross_entropy(out.logits.flatten(0, 1), batch["labels"].flatten(), ignore_index=IGNORED)
    if head == "classes":
        return out.logits, cross_entropy(out.logits, batch["labels"])
    logits = torch.stack([out.start_logits, out.end_logits], dim=-1)
    hidden = mask == 0
    start = cross_entropy(out.start_logits.masked_fill(hidden, -1e30), batch["starts"])
    end = cross_entropy(out.end_logits.masked_fill(hidden, -1e30), batch["ends"])
    if not hidden.any():
        own = model(
            input_ids=batch["ids"],
            attention_mask=mask,
            token_type_ids=batch["type_ids"],
            start_positions=batch["starts"],
            end_positions=batch["ends"],
        ).loss
        assert torch.allclose(own, (start + end) / 2), "without padding the span loss is transformers' own"
    return logits, (start + end) / 2


def curve(model, run, batches, learning_rate, weight_decay):
    """Losses of STEPS steps: AdamW, linear warm-up and decay, clipping, no dropout.

    `run` gives a batch's logits and loss."""
    decayed, plain = [], []
    for name, parameter in model.named_parameters():
        (plain if name.endswith("bias") or "LayerNorm" in name else decayed).append(parameter)
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.999), eps=1e-8)
    losses, norms = [], []
    for step in range(STEPS):
        factor = step / WARM_UP if step < WARM_UP else (STEPS - step) / (STEPS - WARM_UP)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * factor
        optimizer.zero_grad()
        _, loss = run(batches[step % len(batches)])
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)))
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses, norms


def gradients(model, run, batch):
    model.zero_grad()
    logits, loss = run(batch)
    loss.backward()
    return logits, loss, {name: parameter.grad for name, parameter in model.named_parameters()}


def tiny_batch(config, head, lengths, seq, generator, count=None):
    rows = len(lengths)
    ids = torch.randint(5, config.vocab_size, (rows, seq), generator=generator)
    ids[:, 0] = 2
    type_ids = torch.zeros_like(ids)
    for row, length in enumerate(lengths):
        ids[row, length:] = config.pad_token_id
        if config.type_vocab_size > 1:
            type_ids[row, length // 2 : length] = 1
    return {"ids": ids, "type_ids": type_ids, "lengths": lengths, **targets(head, lengths, seq, generator, count)}


def tensors_of(prefix, batch):
    named = {}
    for key, value in batch.items():
        value = torch.tensor(value) if isinstance(value, list) else value
        named[f"{prefix}/{key}"] = value.to(torch.int32).contiguous()
    return named


def fresh(cls, config, seed, folder):
    """A random model in float64, saved to a folder as it is before."""
    torch.manual_seed(seed)
    model = cls.from_config(config, attn_implementation="eager")
    for name, parameter in model.named_parameters():
        # Fresh biases are 0 and fresh norms 1: random ones show mistakes that those hide.
        if parameter.dim() == 1:
            offset = 1.0 if name.endswith("LayerNorm.weight") else 0.0
            parameter.data = offset + 0.2 * torch.randn(parameter.shape)
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    return model.double().eval()


def expectation(model, run, batch, batches):
    """Inference, loss and gradients on one batch, and the losses of a training run over others."""
    _, loss, grads = gradients(model, run, batch)
    # Inference also on the padding id inside a row: BERT does not care, XLM-R counts positions around it.
    # Not for gradients, since PyTorch's embedding gives that row none.
    odd = {**batch, "ids": batch["ids"].clone()}
    odd["ids"][2, 3] = model.config.pad_token_id
    with torch.no_grad():
        logits, _ = run(odd)
        hidden = model.base_model(
            input_ids=odd["ids"],
            attention_mask=mask_of(odd["lengths"], odd["ids"].shape[1]),
            token_type_ids=odd["type_ids"],
        ).last_hidden_state
    losses, norms = curve(model, run, batches, 2e-3, 0.01)
    expected = tensors_of("batch", batch) | tensors_of("odd", odd)
    for number, train in enumerate(batches):
        expected |= tensors_of(f"train{number}", train)
    expected |= {"hidden": hidden, "logits": logits.detach(), "loss": loss.detach()[None]}
    expected |= {"curve": torch.tensor(losses), "norms": torch.tensor(norms)}
    return expected | {f"gradient/{name}": gradient for name, gradient in grads.items()}


def save(expected, folder):
    expected = {
        name: (value.float() if value.is_floating_point() else value).clone().contiguous()
        for name, value in expected.items()
    }
    save_file(expected, folder / "expected.safetensors")
    curve = expected["curve"]
    print(f"{folder.name}: loss {float(expected['loss']):.6f}, curve {curve[0]:.4f} to {curve[-1]:.4f}")


def write_tiny():
    shared = dict(
        vocab_size=120,
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=32,
        initializer_range=0.3,
        hidden_dropout_prob=0.1,
        attention_probs_dropout_prob=0.1,
    )
    families = {
        "bert": BertConfig(
            **shared, max_position_embeddings=16, type_vocab_size=2, pad_token_id=0, layer_norm_eps=1e-12
        ),
        "xlm-roberta": XLMRobertaConfig(
            **shared, max_position_embeddings=18, type_vocab_size=1, pad_token_id=1, layer_norm_eps=1e-5
        ),
    }
    for family, config in families.items():
        for index, (head, (cls, labels)) in enumerate(HEADS.items()):
            generator = torch.Generator().manual_seed(100 + index)
            config.num_labels = labels
            folder = REFERENCE / f"{family}-{head}"
            model = fresh(cls, config, 17, folder)
            batch = tiny_batch(config, head, [11, 1, 7, 9], 11, generator)
            batches = [
                tiny_batch(config, head, lengths, max(lengths), generator)
                for lengths in ([8, 8, 8, 8], [3, 10, 6, 1], [5, 5, 4, 2])
            ]
            save(expectation(model, partial(forward, model, head), batch, batches), folder)


def formula(shape, phase):
    """Head weights that both sides can compute: 0.02 sin(0.37 i + phase)."""
    count = math.prod(shape)
    return (0.02 * torch.sin(0.37 * torch.arange(count, dtype=torch.float64) + phase)).float().reshape(shape)


def splitmix64(count):
    """The first `count` numbers of SplitMix64 from seed 0: a hash of a counter."""
    golden, first, second = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
    z = np.arange(1, count + 1, dtype=np.uint64) * golden
    z = (z ^ (z >> np.uint64(30))) * first
    z = (z ^ (z >> np.uint64(27))) * second
    return z ^ (z >> np.uint64(31))


def projections(flat):
    """Inner products with PROJECTIONS vectors of signs: entry i of vector k is -1 where bit k of hash i is set."""
    values, bits = flat.numpy(), splitmix64(len(flat))
    minus = [values[(bits >> np.uint64(k)) & np.uint64(1) == 1].sum() for k in range(PROJECTIONS)]
    return [float(values.sum() - 2.0 * part) for part in minus]


def summary(tensor):
    """Of a gradient: norm, largest entry, random projections, and eight entries spread over it, in file order."""
    flat = tensor.detach().flatten()
    picks = [(len(flat) - 1) * k // 7 for k in range(8)]
    return {
        "norm": float(flat.norm()),
        "max": float(flat.abs().max()),
        "values": [float(flat[pick]) for pick in picks],
        "projections": projections(flat),
    }


def write_real(folder):
    items = json.loads((folder / "reference.json").read_text())["items"]
    rows = sorted((item["ids"] for item in items), key=len)[:6]
    result = {"heads": {}}
    for index, (head, (cls, labels)) in enumerate(HEADS.items()):
        generator = torch.Generator().manual_seed(200 + index)

        def batch_of(chosen):
            lengths = [len(row) for row in chosen]
            seq = max(lengths)
            ids = torch.tensor([row + [1] * (seq - len(row)) for row in chosen])
            return {
                "ids": ids,
                "type_ids": torch.zeros_like(ids),
                "lengths": lengths,
                **targets(head, lengths, seq, generator),
            }

        model = cls.from_pretrained(folder, num_labels=labels, dtype=torch.float32, attn_implementation="eager")
        for phase, (name, parameter) in enumerate(
            (name, p) for name, p in model.named_parameters() if "classifier" in name or "qa_" in name or "pooler" in name
        ):
            parameter.data = formula(parameter.shape, float(phase))
        model = model.double().eval()
        run = partial(forward, model, head)
        batch = batch_of(rows)
        logits, loss, grads = gradients(model, run, batch)
        entry = {
            "batch": {key: value if isinstance(value, list) else value.tolist() for key, value in batch.items()},
            "loss": float(loss.detach()),
            "logits": logits.detach().flatten().tolist(),
            "gradients": {name: summary(gradient) for name, gradient in grads.items()},
        }
        if head == "tokens":
            with torch.no_grad():
                hidden = model.base_model(
                    input_ids=batch["ids"], attention_mask=mask_of(batch["lengths"], batch["ids"].shape[1])
                ).last_hidden_state
            result["hidden"] = {
                "norms": hidden.norm(dim=-1).flatten().tolist(),
                "first": hidden[:, :, :6].flatten().tolist(),
            }
            train = [batch_of(rows[:2]), batch_of(rows[2:4])]
            losses, norms = curve(model, run, train, 5e-5, 0.01)
            result["curve"] = {
                "batches": [
                    {key: value if isinstance(value, list) else value.tolist() for key, value in one.items()}
                    for one in train
                ],
                "losses": losses,
                "norms": norms,
            }
        result["heads"][head] = entry
        print(f"{head}: loss {float(loss.detach()):.6f}")
    text = json.dumps(result, default=float)
    rounded = json.loads(text, parse_float=lambda digits: float(f"{float(digits):.8g}"))
    (REFERENCE / "e5-small.json").write_text(json.dumps(rounded) + "\n")


def check(folder):
    """Loads a folder as a user would and compares logits with those that its writer computed, on tokens that are not
    padding: fused kernels leave padded queries out. Names of labels are compared where the writer gives any."""
    expected = json.loads((folder / "check.json").read_text())
    head = expected["head"]
    cls = AutoModelForMultipleChoice if head == "choices" else HEADS[head][0]
    model, report = cls.from_pretrained(folder, output_loading_info=True)
    wrong = {key: value for key, value in report.items() if value}
    assert not wrong, f"transformers complains: {wrong}"
    named = json.loads((folder / "config.json").read_text())["architectures"]
    assert named == [type(model).__name__], f"{named} is loaded as {type(model).__name__}"
    if "labels" in expected:
        labels = [model.config.id2label[index] for index in range(model.config.num_labels)]
        assert labels == expected["labels"], f"labels are {labels}"
        assert model.config.label2id == {label: index for index, label in enumerate(labels)}, model.config.label2id
    ids, type_ids = torch.tensor(expected["ids"]), torch.tensor(expected["type_ids"])
    mask = mask_of(expected["lengths"], ids.shape[1])
    inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": type_ids}
    if head == "choices":
        # Every row is scored alone, so one group holds them all.
        inputs = {name: value[None] for name, value in inputs.items()}
    out = model.eval()(**inputs)
    logits = out.start_logits if head == "spans" else out.logits
    gap = (logits - torch.tensor(expected["logits"]).reshape(logits.shape)).abs()
    difference = float((gap[mask.bool()] if head in ("tokens", "spans") else gap).max())
    assert difference < 1e-4, f"logits differ by {difference}"
    print(f"{type(model).__name__}, {len(model.config.id2label)} labels: logits differ by at most {difference:.2e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--real", type=Path, metavar="FOLDER")
    parser.add_argument("--check", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    if arguments.tiny:
        write_tiny()
    if arguments.real:
        write_real(arguments.real)
    if arguments.check:
        check(arguments.check)
    if not (arguments.tiny or arguments.real or arguments.check):
        parser.error("say --tiny, --real or --check")


if __name__ == "__main__":
    main()
