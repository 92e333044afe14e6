"""One cell as a plain transformers script: the peer in real_cell.py and sweep.py.

Fine-tunes an encoder on named entities in some languages and scores it in others (and, on request, retrieval before and
after), as good as such a script is usually written: dynamic padding, batches of similar length, fused attention, fused
AdamW, batched evaluation under inference_mode. What is to be the same is the same: files, examples, steps, batch, learning
rate, schedule, clipping, dropout, seqeval's strict F1. Writes scores and seconds by phase as JSON.
"""

import time

START = time.perf_counter()

import argparse
import json
import random
from pathlib import Path

import pyarrow.parquet as parquet
import torch
from seqeval.metrics import f1_score
from seqeval.scheme import IOB2
from transformers import AutoModelForTokenClassification, PreTrainedTokenizerFast

LABELS = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"]
IGNORED = -100
# Batches that are sorted by length together, as in Trainer's length-grouped sampler.
WINDOW = 50
EVALUATION_TOKENS = 2048


class Clock:
    """Seconds by phase."""

    def __init__(self) -> None:
        self.seconds = {"import": time.perf_counter() - START}
        self.last = time.perf_counter()

    def book(self, phase: str) -> None:
        now = time.perf_counter()
        self.seconds[phase] = self.seconds.get(phase, 0.0) + now - self.last
        self.last = now


def rows(folder: Path, language: str, split: str, limit: int | None) -> list[dict]:
    (path,) = (folder / language).glob(f"{split}*.parquet")
    table = parquet.read_table(path)
    return table.slice(0, limit).to_pylist() if limit else table.to_pylist()


def encode_words(tokenizer, examples: list[dict], max_length: int) -> list[dict]:
    """Token ids; the label of a word on its first token."""
    encoded = tokenizer(
        [example["tokens"] for example in examples], is_split_into_words=True, truncation=True, max_length=max_length
    )
    items = []
    for index, example in enumerate(examples):
        labels, last = [], None
        for word in encoded.word_ids(index):
            labels.append(IGNORED if word is None or word == last else example["ner_tags"][word])
            last = word
        items.append({"ids": encoded["input_ids"][index], "labels": labels})
    return items


def collate(items: list[dict], padding: int) -> dict[str, torch.Tensor]:
    longest = max(len(item["ids"]) for item in items)
    pad = lambda values, filler: values + [filler] * (longest - len(values))
    batch = {
        "input_ids": torch.tensor([pad(item["ids"], padding) for item in items]),
        "attention_mask": torch.tensor([pad([1] * len(item["ids"]), 0) for item in items]),
    }
    if "labels" in items[0]:
        batch["labels"] = torch.tensor([pad(item["labels"], IGNORED) for item in items])
    return batch


def training_batches(items: list[dict], batch: int, generator: random.Random):
    """Endless batches of similar length: shuffled, sorted within windows, cut, and the batches shuffled."""
    while True:
        order = list(range(len(items)))
        generator.shuffle(order)
        size = batch * WINDOW
        windows = [sorted(order[at : at + size], key=lambda i: len(items[i]["ids"])) for at in range(0, len(order), size)]
        batches = [window[at : at + batch] for window in windows for at in range(0, len(window) - batch + 1, batch)]
        generator.shuffle(batches)
        yield from ([items[index] for index in chosen] for chosen in batches)


def evaluation_batches(items: list[dict]):
    """Indices in batches of similar length, of so many tokens with their padding."""
    batch: list[int] = []
    for index in sorted(range(len(items)), key=lambda index: len(items[index]["ids"])):
        if batch and (len(batch) + 1) * len(items[index]["ids"]) > EVALUATION_TOKENS:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def entities(model, items: list[dict], examples: list[dict], padding: int) -> float:
    """Strict F1 of all entities; words beyond the length limit count as outside."""
    predicted: list[list[str]] = [[] for _ in items]
    for chosen in evaluation_batches(items):
        batch = collate([items[index] for index in chosen], padding)
        labels = batch.pop("labels")
        best = model(**batch).logits.argmax(-1)
        for row, index in enumerate(chosen):
            predicted[index] = [LABELS[label] for label in best[row][labels[row] != IGNORED].tolist()]
    gold = [[LABELS[tag] for tag in example["ner_tags"]] for example in examples]
    predicted = [tags + ["O"] * (len(right) - len(tags)) for tags, right in zip(predicted, gold)]
    return f1_score(gold, predicted, mode="strict", scheme=IOB2)


def retrieval(model, pairs: list[list[dict]], padding: int) -> float:
    """Share of sentences whose translation is nearest by cosine, to English; mean of the last layer over tokens."""
    vectors = []
    for items in pairs:
        found = torch.empty(len(items), model.config.hidden_size)
        for chosen in evaluation_batches(items):
            batch = collate([items[index] for index in chosen], padding)
            hidden = model.base_model(**batch).last_hidden_state
            mask = batch["attention_mask"].unsqueeze(-1)
            found[chosen] = (hidden * mask).sum(1) / mask.sum(1)
        vectors.append(torch.nn.functional.normalize(found))
    nearest = (vectors[0] @ vectors[1].T).argmax(1)
    return (nearest == torch.arange(len(nearest))).float().mean().item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="a folder a language, Parquet in the hub's schema")
    parser.add_argument("--sources", required=True)
    parser.add_argument("--targets", required=True)
    parser.add_argument("--retrieval", type=Path, help="a folder a language, Parquet with source and target")
    parser.add_argument("--retrieval-languages", default="")
    parser.add_argument("--examples", type=int)
    parser.add_argument("--eval-examples", type=int, default=500)
    parser.add_argument("--retrieval-examples", type=int, default=200)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=5e-5)
    parser.add_argument("--weight-decay", type=float, default=0.0)
    parser.add_argument("--warmup", type=float, default=0.1)
    parser.add_argument("--max-length", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    clock = Clock()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)

    model = AutoModelForTokenClassification.from_pretrained(
        arguments.model, num_labels=len(LABELS), dtype=torch.float32, attn_implementation="sdpa"
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(arguments.model / "tokenizer.json"))
    padding = model.config.pad_token_id
    clock.book("load")

    sources, targets = arguments.sources.split(","), arguments.targets.split(",")
    training = [
        item
        for language in sources
        for item in encode_words(
            tokenizer, rows(arguments.data, language, "train", arguments.examples), arguments.max_length
        )
    ]
    held = {language: rows(arguments.data, language, "test", arguments.eval_examples) for language in targets}
    encoded = {language: encode_words(tokenizer, held[language], arguments.max_length) for language in targets}
    pairs = {}
    for language in filter(None, arguments.retrieval_languages.split(",")):
        found = rows(arguments.retrieval, language, "test", arguments.retrieval_examples)
        texts = [[pair[column] for pair in found] for column in ("source", "target")]
        ids = [tokenizer(side, truncation=True, max_length=64)["input_ids"] for side in texts]
        pairs[language] = [[{"ids": one} for one in side] for side in ids]
    clock.book("tokenise")

    scores: dict[str, dict[str, float]] = {}
    model.eval()
    with torch.inference_mode():
        scores["retrieval.before"] = {language: retrieval(model, both, padding) for language, both in pairs.items()}
    clock.book("evaluate")

    decays = lambda name: not (name.endswith("bias") or "LayerNorm" in name)
    groups = [
        {"params": [p for n, p in model.named_parameters() if decays(n)], "weight_decay": arguments.weight_decay},
        {"params": [p for n, p in model.named_parameters() if not decays(n)], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=arguments.learning_rate, fused=True)
    rising = -(-arguments.warmup * arguments.steps // 1)
    rate = lambda step: step / rising if step < rising else (arguments.steps - step) / max(1, arguments.steps - rising)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    batches = training_batches(training, arguments.batch, random.Random(arguments.seed))
    model.train()
    tokens = padded = 0
    for _, items in zip(range(arguments.steps), batches):
        batch = collate(items, padding)
        tokens += sum(len(item["ids"]) for item in items)
        padded += batch["input_ids"].numel()
        model(**batch).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
    clock.book("train")

    model.eval()
    with torch.inference_mode():
        scores["ner"] = {language: entities(model, encoded[language], held[language], padding) for language in targets}
        scores["retrieval.after"] = {language: retrieval(model, both, padding) for language, both in pairs.items()}
    clock.book("evaluate")
    result = {
        "scores": scores,
        "seconds": clock.seconds,
        "tokens": tokens,
        "padding": 1 - tokens / max(1, padded),
    }
    arguments.output.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
