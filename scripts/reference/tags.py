"""Reference values of entity tags for the `evaluation` crate: tests/reference/tags.json.

seqeval's strict scores in all and by type: of random IOB2 tags, many of which continue nothing, and of random entities
written in IOB1, IOB2, IOBES and BILOU, which seqeval reads in their own schemes.

    python tags.py --out crates/evaluation/tests/reference/tags.json
"""

import argparse
import json
import random
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

from seqeval.metrics import classification_report, f1_score, precision_score, recall_score
from seqeval.scheme import BILOU, IOB1, IOB2, IOBES, Entities

warnings.filterwarnings("ignore")

SCHEMES = {"IOB1": IOB1, "IOB2": IOB2, "IOBES": IOBES, "BILOU": BILOU}
KINDS = ["PER", "DATE", "PROD", "MISC-X", "MISC", "event", "組織", "B", "O", "X-Y-Z"]


def written(entities, size, name):
    """Tags of entities [(start, end, kind)] that do not overlap."""
    tags = ["O"] * size
    before = None
    for start, end, kind in sorted(entities):
        if name == "IOB1":
            first, last, only = ("B", "I", "B") if before == (start, kind) else ("I", "I", "I")
        else:
            first, last, only = {"IOB2": "BIB", "IOBES": "BES", "BILOU": "BLU"}[name]
        for word in range(start, end):
            tags[word] = f"I-{kind}"
        tags[end - 1] = f"{last}-{kind}"
        tags[start] = f"{only if end == start + 1 else first}-{kind}"
        before = (end, kind)
    return tags


def random_entities(size, draw):
    kinds = draw.sample(KINDS, 3)
    entities, word = [], 0
    while word < size:
        if draw.random() < 0.5:
            end = min(size, word + draw.randrange(1, 4))
            entities.append((word, end, draw.choice(kinds)))
            word = end
        else:
            word += 1
    return entities


def found(entities, size, draw):
    """What a tagger finds of entities: most, some of them shorter, of another type or split, and others."""
    kept = []
    for start, end, kind in entities:
        event = draw.random()
        if event < 0.5:
            kept.append((start, end, kind))
        elif event < 0.6:
            kept.append((start, end, draw.choice(KINDS)))
        elif event < 0.7:
            kept += [(start, start + 1, kind)] + ([(start + 1, end, kind)] if end > start + 1 else [])
        elif event < 0.8:
            kept.append((start, max(start + 1, end - 1), kind))
    return kept if draw.random() < 0.9 else random_entities(size, draw)


def scores(gold, predicted, scheme):
    mode = dict(mode="strict", scheme=scheme, zero_division=0)
    any_entity = any(Entities(side, scheme).unique_tags for side in (gold, predicted))
    # seqeval's report fails without any entity
    report = classification_report(gold, predicted, output_dict=True, **mode) if any_entity else {}
    return {
        "strict": [float(f(gold, predicted, **mode)) for f in (precision_score, recall_score, f1_score)],
        "by_type": {k: float(v["f1-score"]) for k, v in report.items() if not k.endswith(" avg")},
    }


def group(name, pairs):
    gold, predicted = [list(side) for side in zip(*pairs)]
    sentences = [[" ".join(g), " ".join(p)] for g, p in pairs]
    return {"notation": name, "sentences": sentences, **scores(gold, predicted, SCHEMES[name])}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, type=Path, help="crates/evaluation/tests/reference/tags.json")
    arguments = parser.parse_args()
    draw = random.Random("tags")
    random_tags = []
    for size in [1] * 60 + [5] * 20 + [40] * 8:
        kinds = draw.sample(KINDS, draw.randrange(1, 4))
        tags = ["O", "O"] + [f"{prefix}-{kind}" for kind in kinds for prefix in "BII"]
        pairs = []
        for _ in range(size):
            gold = [draw.choice(tags) for _ in range(draw.randrange(1, 10))]
            error = draw.choice([0.0, 0.2, 0.5])
            pairs.append((gold, [draw.choice(tags) if draw.random() < error else tag for tag in gold]))
        random_tags.append(group("IOB2", pairs))
    valid = []
    for size in [1] * 25 + [5] * 10 + [30] * 5:
        layouts = []
        for _ in range(size):
            words = draw.randrange(1, 12)
            gold = random_entities(words, draw)
            layouts.append((words, gold, found(gold, words, draw)))
        same = [
            group(name, [(written(g, words, name), written(p, words, name)) for words, g, p in layouts]) for name in SCHEMES
        ]
        assert all(other["strict"] == same[0]["strict"] for other in same)
        valid += same
    value = {"seqeval": version("seqeval"), "random": random_tags, "valid": valid}
    arguments.out.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{arguments.out}: {arguments.out.stat().st_size} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
