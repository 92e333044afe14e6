"""Reference values for crates/tasks from transformers' fast tokenizers.

    LETHE_REAL=... python scripts/reference/data.py

Writes crates/tasks/tests/reference/: two tiny tokenizers trained here on sentences of our own, and what transformers
makes of awkward texts with them (tiny.json); and, with LETHE_REAL, of rows of the real data in twelve languages with the
real tokenizer (real.json: token ids and offsets only, the texts stay where they are).
Needs transformers (5.x), tokenizers, pyarrow.
"""

import json
import os
import pathlib
import struct

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

OUT = pathlib.Path(__file__).resolve().parents[2] / "crates" / "tasks" / "tests" / "reference"

SENTENCES = [
    "Maria lives in Lisbon and works for a small shipping company near the harbour.",
    "Der alte Bahnhof von Köln wurde im vergangenen Jahr vollständig erneuert.",
    "La directora viajó a Bogotá para abrir la nueva biblioteca de la ciudad.",
    "В субботу Анна поедет в Казань, чтобы навестить своего брата.",
    "Kardeşim İzmir'de bir hastanede çalışıyor ve her sabah denize bakıyor.",
    "राम कल दिल्ली से मुंबई जाएगा और वहाँ अपने मित्र से मिलेगा।",
    "زارت ليلى مدينة القاهرة في الشتاء الماضي مع أسرتها.",
    "小王昨天从北京坐火车去了上海，见到了他的老师。",
    "Η Ελένη μένει στην Αθήνα και διδάσκει ιστορία σε ένα σχολείο.",
    "Lan sống ở Hà Nội và thường đi chợ vào sáng chủ nhật.",
    "Juma anaishi Nairobi na anafanya kazi katika shule ya msingi.",
    "สมชายเดินทางไปเชียงใหม่เพื่อเยี่ยมแม่ของเขาเมื่อวานนี้",
    "The café 🙂 in Zürich sells naïve art, e\u0301clairs and ½ loaves of bread.",
    "Who opened the new library, and when did the director travel there?",
    "Where does Maria work? When was the station of Cologne renewed?",
]

NER = [
    ["Maria", "lives", "in", "Lisbon", "."],
    ["दिल्ली", "से", "मुंबई", "🙂🙂", "👩‍👩‍👧", "Zu\u0308rich"],
    ["\u200b", "Anna", "\ufeff", "Казань", "½", "ﬁn", " two words "],
    ["القاهرة", "في", "سمجاي", "สมชาย", "เชียงใหม่", "北京", "上海"],
    ["directora"] * 30,
    ["Donaudampfschifffahrtsgesellschaftskapitän"] * 3,
    ["x"],
]

NLI = [
    ("Maria works near the harbour.", "Maria works."),
    ("रাম दिल्ली से मुंबई जाएगा।", "राम घर पर है।"),
    ("The station was renewed. " * 6, "It is new."),
    ("It is new.", "The station was renewed. " * 6),
    ("Anna travels to Kazan. " * 5, "Anna stays at home all day. " * 5),
    ("  leading and   inner  spaces ", "\ttab 🙂 "),
    ("小王去了上海。", "สมชายไปเชียงใหม่"),
]


def qa_cases():
    thai = "สมชายเดินทางไปเชียงใหม่เพื่อเยี่ยมแม่ของเขาเมื่อวานนี้ และกลับมากรุงเทพในวันอาทิตย์"
    hindi = "राम कल दिल्ली से मुंबई जाएगा और वहाँ अपने मित्र से मिलेगा। उसका मित्र एक विद्यालय में पढ़ाता है।"
    emoji = "🙂🙂 The cafe\u0301 👩‍👩‍👧 in Zu\u0308rich sells ½ loaves, e\u0301clairs and ﬁne art 🙂."
    long = " ".join(SENTENCES[:4] + SENTENCES[8:11])
    contexts = [
        ("Where did he go?", thai, ["เชียงใหม่", "วันอาทิตย์"]),
        ("राम कहाँ जाएगा?", hindi, ["मुंबई", "विद्यालय", "है।"]),
        ("  What does the café sell?", emoji, ["½ loaves", "e\u0301clairs", "👩‍👩‍👧", "🙂.", "Zu\u0308rich", "¼"]),
        ("Where does Maria live?", long, ["Lisbon", "Köln", "vollständig erneuert.", "Казань, чтобы навестить", "Nairobi"]),
        ("ما المدينة؟", SENTENCES[6] * 3, ["القاهرة"]),
        ("哪里?", "\ufeff" + SENTENCES[7] * 3, ["上海", "老师"]),
        ("Short?", "Yes", ["Yes"]),
        ("Where? " * 3, "Lisbon is  here.\n\n " + long, [" here.", "Athens", "σχολείο."]),
    ]
    cases = []
    for question, context, answers in contexts:
        spans = [(answer, context.find(answer)) for answer in answers if answer in context]
        # Also an answer that begins in the middle of a word, and one that is the whole context.
        cases.append((question, context, spans + [(context[1:3], 1), (context, 0)]))
    return cases


def tiny_tokenizers():
    """A WordPiece and a unigram tokenizer of a few hundred pieces, framed as BERT and XLM-R are."""
    bert = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    bert.normalizer = normalizers.BertNormalizer(lowercase=False)
    bert.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    bert.train_from_iterator(SENTENCES, trainers.WordPieceTrainer(vocab_size=700, special_tokens=special, show_progress=False))
    bert.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    # Left in the file on purpose: a reader must not let it shorten or pad anything.
    bert.enable_truncation(8)
    bert.enable_padding(length=16)

    xlmr = Tokenizer(models.Unigram())
    xlmr.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    xlmr.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    xlmr.train_from_iterator(
        SENTENCES,
        trainers.UnigramTrainer(vocab_size=600, special_tokens=special, unk_token="<unk>", show_progress=False),
    )
    xlmr.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    configs = {
        "tiny-bert": (bert, {"model_type": "bert", "pad_token_id": 0, "type_vocab_size": 2, "max_position_embeddings": 128}),
        "tiny-xlmr": (xlmr, {"model_type": "xlm-roberta", "pad_token_id": 1, "type_vocab_size": 1, "max_position_embeddings": 130}),
    }
    for name, (tokenizer, config) in configs.items():
        folder = OUT / name
        folder.mkdir(parents=True, exist_ok=True)
        tokenizer.save(str(folder / "tokenizer.json"))
        config = {**config, "vocab_size": tokenizer.get_vocab_size()}
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    return list(configs)


def load(folder):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer)


def ner(tokenizer, words, max_length):
    out = tokenizer(words, is_split_into_words=True, truncation=True, max_length=max_length)
    return {"ids": out["input_ids"], "words": out.word_ids()}


def nli(tokenizer, premise, hypothesis, max_length):
    out = tokenizer(premise, hypothesis, truncation=True, max_length=max_length, return_token_type_ids=True)
    return {"ids": out["input_ids"], "types": out["token_type_ids"]}


def qa(tokenizer, question, context, answers, max_length, stride):
    """Windows with offsets, and each answer's label in each window by the rule of transformers' run_qa (its search kept
    within the context)."""
    out = tokenizer(
        question.lstrip(), context, truncation="only_second", max_length=max_length, stride=stride,
        return_overflowing_tokens=True, return_offsets_mapping=True, return_token_type_ids=True,
    )
    windows = []
    labels = [[] for _ in answers]
    # The library forgets the template's segments in all windows but the first, where the second text has segment 0.
    segments = 1 if 1 in out["token_type_ids"][0] else 0
    for index, ids in enumerate(out["input_ids"]):
        positions = [i for i, part in enumerate(out.sequence_ids(index)) if part == 1]
        offsets = out["offset_mapping"][index]
        windows.append({
            "ids": ids, "types": out["token_type_ids"][index if segments else 0][:len(ids)], "context": positions[0],
            "offsets": [list(offsets[i]) for i in positions],
        })
        for number, (answer, start) in enumerate(answers):
            end = start + len(answer)
            label = [0, 0]
            if offsets[positions[0]][0] <= start and offsets[positions[-1]][1] >= end:
                first = [i for i in positions if offsets[i][0] <= start][-1]
                last = [i for i in positions if offsets[i][1] >= end][0]
                label = sorted([first, last])
            labels[number].append(label)
    answers = [{"text": text, "start": start, "labels": label} for (text, start), label in zip(answers, labels)]
    return {"max_length": max_length, "stride": stride, "windows": windows, "answers": answers}


def logit(window, token, column):
    """Made-up logits that need no file; the Rust test has the same line. Exact in 32 bits."""
    return float((window * 7919 + token * 104729 + column * 15485863) % 65537) / 1024.0


def single(value):
    return struct.unpack("f", struct.pack("f", value))[0]


def best_answer(windows, context, first_window):
    """The best span over all windows: 20 candidates each, at most 30 tokens, no null answer."""
    found = []
    for index, window in enumerate(windows):
        n = len(window["ids"])
        inside = range(window["context"], window["context"] + len(window["offsets"]))
        column = lambda c: sorted(range(n), key=lambda t: -logit(first_window + index, t, c))[:20]
        for start in column(0):
            for end in column(1):
                if start in inside and end in inside and start <= end < start + 30:
                    score = single(logit(first_window + index, start, 0) + logit(first_window + index, end, 1))
                    span = window["offsets"][start - window["context"]][0], window["offsets"][end - window["context"]][1]
                    found.append((-score, len(found), span))
    if not found:
        return ""
    start, end = min(found)[2]
    return context[start:end].strip()


def tiny(names):
    result = {}
    for name in names:
        tokenizer = load(OUT / name)
        lengths = [(64, 16), (40, 4)]
        cases = []
        first_window = {}
        for question, context, answers in qa_cases():
            for max_length, stride in lengths:
                case = qa(tokenizer, question, context, answers, max_length, stride)
                seen = first_window.setdefault(max_length, 0)
                first_window[max_length] += len(case["windows"])
                best = best_answer(case["windows"], context, seen)
                cases.append({"question": question, "context": context, "best": best, **case})
        result[name] = {
            "ner": [{"sentence": s, "max_length": m, **ner(tokenizer, s, m)} for s in NER for m in (12, 64)],
            "nli": [{"premise": p, "hypothesis": h, "max_length": m, **nli(tokenizer, p, h, m)} for p, h in NLI for m in (17, 24, 64)],
            "qa": cases,
        }
    return result


def real(root):
    import pyarrow.parquet as parquet

    tokenizer = load(root / "models" / "multilingual-e5-small-64k")
    data = root / "data"
    result = {"ner": [], "nli": [], "qa": []}
    for language in "en de es ru tr hi ar zh el vi sw yo".split():
        table = parquet.read_table(data / "wikiann" / language / "train-00000-of-00001.parquet").column("tokens").to_pylist()
        longest = max(range(len(table)), key=lambda row: len(table[row]))
        for row in [0, 1, 2, 17, 55, 99, longest]:
            case = ner(tokenizer, table[row], 32)
            result["ner"].append({"language": language, "row": row, "max_length": 32, **case})
    rows = [line.rstrip("\n").split("\t") for line in open(data / "xnli/XNLI-1.0/xnli.test.tsv", encoding="utf-8", newline="\n")]
    for language in "en de es ru tr hi ar zh el vi sw th".split():
        mine = [row for row in rows[1:] if row[0] == language]
        for row in [0, 5, 50, 1234, 5009]:
            case = nli(tokenizer, mine[row][6], mine[row][7], 40)
            result["nli"].append({"language": language, "row": row, "max_length": 40, **case})
    for language in "ar de el en es hi ro ru th tr vi zh".split():
        document = json.load(open(data / "xquad" / f"xquad.{language}.json", encoding="utf-8"))
        questions = [(q, p["context"]) for a in document["data"] for p in a["paragraphs"] for q in p["qas"]]
        for row in [0, 600, 1189]:
            question, context = questions[row]
            answer = question["answers"][0]
            case = qa(tokenizer, question["question"], context, [(answer["text"], answer["answer_start"])], 128, 32)
            del case["answers"][0]["text"]
            result["qa"].append({"language": language, "row": row, **case})
    return result


def write(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(OUT / "tiny.json", tiny(tiny_tokenizers()))
    if "LETHE_REAL" in os.environ:
        write(OUT / "real.json", real(pathlib.Path(os.environ["LETHE_REAL"])))
    else:
        print("LETHE_REAL is not set: real.json is left as it is")
