//! Arguments.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use results::Overwrite;
use spec::{Backend, Language, Name, Portion, Split, Task};
use tasks::Format;

#[derive(Debug, Parser)]
#[command(
    name = "harness",
    version,
    about = "Measures what a multilingual language model gains and forgets when it is updated",
    after_help = crate::exit::TABLE,
    propagate_version = true
)]
pub struct Cli {
    #[command(flatten)]
    pub folders: Folders,
    #[command(subcommand)]
    pub command: Command,
}

/// Where things are. Nothing is ever written outside the data, results and cache folders and the paths given by name.
#[derive(Debug, Clone, Args)]
pub struct Folders {
    /// Imported data sets (see `harness data import`)
    #[arg(
        long,
        global = true,
        help_heading = "Folders",
        value_name = "DIR",
        env = "LETHE_DATA",
        default_value = "data"
    )]
    pub data: PathBuf,
    /// Folder of model folders in Hugging Face layout; $LETHE_REAL/models is searched too
    #[arg(
        long,
        global = true,
        help_heading = "Folders",
        value_name = "DIR",
        env = "LETHE_MODELS",
        default_value = "models"
    )]
    pub models: PathBuf,
    /// Results of cells
    #[arg(
        long,
        global = true,
        help_heading = "Folders",
        value_name = "DIR",
        env = "LETHE_RESULTS",
        default_value = "results"
    )]
    pub results: PathBuf,
    /// Encoded data and shared measurements; may be deleted at any time
    #[arg(
        long,
        global = true,
        help_heading = "Folders",
        value_name = "DIR",
        env = "LETHE_CACHE_DIR",
        default_value = "cache"
    )]
    pub cache: PathBuf,
    /// lang2vec's files of URIEL features (`features.npz` and others), for methods that ask how near languages are;
    /// without the folder, $LETHE_REAL/data/uriel
    #[arg(
        long,
        global = true,
        help_heading = "Folders",
        value_name = "DIR",
        env = "LETHE_URIEL",
        default_value = "uriel"
    )]
    pub uriel: PathBuf,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run every cell of a suite that is not done yet, then print its tables
    #[command(
        after_help = "Examples:\n  harness sweep\n  harness sweep --quick\n  harness sweep real-small\n  harness sweep my-suite.toml --task ner --method ft --seed 1..3\n  harness sweep real-small --dry-run\n  harness sweep real-full --backend wgpu --shard 2/8"
    )]
    Sweep(Sweep),
    /// Try the settings of a suite's [tune], and print those that did best as tables for a suite file
    #[command(
        after_help = "Examples:\n  harness tune my-suite.toml\n  harness tune my-suite.toml --method adapter,lora --task ner\n  harness tune my-suite.toml --dry-run"
    )]
    Tune(Sweep),
    /// Run one cell from flags, and save the updated model
    #[command(
        after_help = "Example:\n  harness run --task ner --model multilingual-e5-small-64k --train wikiann --sources en --eval wikiann --targets en,de,zh --steps 100 --save tuned"
    )]
    Run(Box<RunOne>),
    /// Print the tables of a suite from finished cells
    #[command(
        after_help = "Examples:\n  harness report\n  harness report real-small\n  harness report real-small --format markdown > table.md\n  harness report mini-methods --control frozen\n  harness report mini-methods --all-pairs --over-languages"
    )]
    Report(Report),
    /// Show what there is: suites, methods, tasks, models, data
    List {
        #[arg(value_enum)]
        what: Option<Listing>,
    },
    /// Tell what a method does, where it comes from, and what may be changed about it
    #[command(after_help = "Examples:\n  harness explain gem\n  harness explain lf-mlf")]
    Explain {
        /// A method that `harness list methods` shows
        method: String,
    },
    /// Import, list and verify data sets
    Data {
        #[command(subcommand)]
        command: DataCommand,
    },
    /// Train a tokenizer and a small multilingual encoder on text; the same command carries on after an interruption
    #[command(
        after_help = "Examples:\n  harness pretrain my-encoder --data-set mini\n  harness pretrain my-encoder --text corpus --parallel --layers 6 --hidden 384 --heads 6\n  harness pretrain my-encoder --text corpus --layers 4 --steps 5000\n  harness pretrain adapted --from my-encoder --text more --steps 2000"
    )]
    Pretrain(Pretrain),
    /// Run a saved model over a file: logits and predictions as JSON lines
    #[command(
        after_help = "Example:\n  harness predict --model tuned --input sentences.tsv --format wikiann-text --language de > predictions.jsonl"
    )]
    Predict(Predict),
    /// Sentence vectors of a text file (one sentence a line), as Parquet or NumPy
    #[command(
        after_help = "Example:\n  harness embed --model multilingual-e5-small-64k --input sentences.txt --prefix 'query: ' --output vectors.npy"
    )]
    Embed(Embed),
    /// Score a prediction file against a gold file
    #[command(
        after_help = "Examples:\n  harness score --format wikiann-text --gold test.tsv --predictions predictions.jsonl\n  harness score --format squad-json --language de --gold xquad.de.json --predictions answers.json"
    )]
    Score(Score),
    /// Run one cell in this process (used by `sweep`; reads a job as JSON from standard input)
    #[command(hide = true)]
    Cell,
}

/// The suite on what comes inside the program.
const DEFAULT_SUITE: &str = "mini";

#[derive(Debug, Clone, Args)]
pub struct Filters {
    /// Only protocols whose last stage trains this task; repeatable
    #[arg(long, value_delimiter = ',')]
    pub task: Vec<Task>,
    /// Only these methods; repeatable
    #[arg(long, value_delimiter = ',')]
    pub method: Vec<Name>,
    /// Measure these languages only (fewer measurements are other cells); repeatable
    #[arg(long, value_delimiter = ',')]
    pub language: Vec<Language>,
    /// These seeds instead of the suite's: `3`, `1,2,5` or `1..4` (both ends)
    #[arg(long, value_delimiter = ',')]
    pub seed: Vec<Seeds>,
}

/// `3` or `1..4`, both ends included.
#[derive(Debug, Clone)]
pub struct Seeds(pub std::ops::RangeInclusive<u64>);

impl std::str::FromStr for Seeds {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let number = |part: &str| part.parse::<u64>().map_err(|_| format!("`{part}` is not a seed (a whole number)"));
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        let (first, last) = (number(first)?, number(last.trim_start_matches('='))?);
        if first > last || last - first >= 10_000 {
            return Err(format!("`{text}`: seeds go from the smaller to the larger, at most 10,000 of them"));
        }
        Ok(Seeds(first..=last))
    }
}

/// How methods are compared.
#[derive(Debug, Clone, Default, Args)]
pub struct Comparison {
    /// Compare every method with this one, such as `frozen`; left out, with `ft`, or the first one if there is no `ft`
    #[arg(long, value_name = "METHOD", conflicts_with = "all_pairs")]
    pub control: Option<String>,
    /// Compare all methods with one another; the more comparisons, the larger a difference has to be
    #[arg(long)]
    pub all_pairs: bool,
    /// Say what holds of languages like these, and not only of these: intervals and tests over seeds and languages
    #[arg(long)]
    pub over_languages: bool,
}

#[derive(Debug, Clone, Args)]
pub struct Sweep {
    /// A suite that ships with the program (see `harness list suites`), or a TOML file
    #[arg(default_value = DEFAULT_SUITE)]
    pub suite: String,
    /// The suite's short version, `<suite>-quick`
    #[arg(long)]
    pub quick: bool,
    #[command(flatten)]
    pub filters: Filters,
    /// Show what would run, what is done and what it may cost, and stop
    #[arg(long)]
    pub dry_run: bool,
    /// Cells that run at the same time, the cores shared out among them; left out, one a core for small models and one
    /// in all for large ones
    #[arg(long, short, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Option<u16>,
    /// Run the i-th of n parts of the suite (cells are dealt out by hash, so parts stay stable)
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
    /// Run at most this many cells
    #[arg(long)]
    pub limit: Option<usize>,
    /// Where tensors are computed
    #[arg(long, default_value_t = Backend::Cpu)]
    pub backend: Backend,
    /// What to do with cells that have results already
    #[arg(long, value_name = "never|missing|failed|always", default_value_t = Overwrite::Missing)]
    pub overwrite: Overwrite,
    /// Stop at the first cell that fails
    #[arg(long)]
    pub fail_fast: bool,
    /// Stop a cell after this many minutes, not counting those it waits for other cells, and record that it timed out
    #[arg(long, value_name = "MINUTES")]
    pub timeout: Option<u64>,
    /// Seconds between checkpoints of a running cell
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub checkpoint_every: u64,
    #[command(flatten)]
    pub comparison: Comparison,
}

#[derive(Debug, Clone, Copy)]
pub struct Shard {
    /// Counted from 0.
    pub index: u64,
    pub of: u64,
}

impl std::str::FromStr for Shard {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(i, n)| Some((i.parse::<u64>().ok()?, n.parse::<u64>().ok()?)));
        match parts {
            Some((i, n)) if i >= 1 && i <= n => Ok(Shard { index: i - 1, of: n }),
            _ => Err(format!("`{text}` is not a shard: write I/N with 1 <= I <= N, such as 2/8")),
        }
    }
}

#[derive(Debug, Clone, Args)]
pub struct Report {
    /// A suite that ships with the program, or a TOML file
    #[arg(default_value = DEFAULT_SUITE)]
    pub suite: String,
    /// The suite's short version, `<suite>-quick`
    #[arg(long)]
    pub quick: bool,
    #[command(flatten)]
    pub filters: Filters,
    #[arg(long, default_value_t = Backend::Cpu)]
    pub backend: Backend,
    #[arg(long, value_enum, default_value_t = TableFormat::Terminal)]
    pub format: TableFormat,
    /// Show this metric too, such as `ner.f1.lenient`; repeatable
    #[arg(long, value_delimiter = ',')]
    pub metric: Vec<String>,
    #[command(flatten)]
    pub comparison: Comparison,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TableFormat {
    Terminal,
    Markdown,
    Csv,
    Latex,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Listing {
    Suites,
    Methods,
    Tasks,
    Formats,
    Models,
    Data,
}

#[derive(Debug, Clone, Args)]
pub struct RunOne {
    /// What to learn
    #[arg(long)]
    pub task: Task,
    /// How to update the model
    #[arg(long, default_value = "ft")]
    pub method: String,
    /// Model folder, or the name of one in the models folder
    #[arg(long)]
    pub model: String,
    /// Data set to train on
    #[arg(long, value_name = "DATA SET")]
    pub train: Name,
    /// Source languages
    #[arg(long, value_delimiter = ',', required = true)]
    pub sources: Vec<Language>,
    /// Data set to measure on
    #[arg(long, value_name = "DATA SET")]
    pub eval: Name,
    #[arg(long, default_value_t = Split::Test)]
    pub eval_split: Split,
    /// Languages to measure
    #[arg(long, value_delimiter = ',', required = true)]
    pub targets: Vec<Language>,
    /// Training examples of each language at most: a sample of so many, or `first:N`
    #[arg(long)]
    pub examples: Option<Portion>,
    /// Measured examples of each language at most: a sample of so many, or `first:N`
    #[arg(long)]
    pub eval_examples: Option<Portion>,
    #[arg(long)]
    pub steps: u64,
    #[arg(long, default_value_t = 16)]
    pub batch: usize,
    #[arg(long, default_value_t = 5e-5)]
    pub learning_rate: f64,
    #[arg(long, default_value_t = 0.0)]
    pub weight_decay: f64,
    #[arg(long, default_value_t = 0.1)]
    pub warmup: f64,
    #[arg(long, default_value_t = 1.0)]
    pub clip: f64,
    #[arg(long, default_value_t = 128)]
    pub max_length: usize,
    /// Shared tokens of question-answering windows (a quarter of the length if left out)
    #[arg(long)]
    pub stride: Option<usize>,
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    #[arg(long, default_value_t = Backend::Cpu)]
    pub backend: Backend,
    /// Folder that gets the updated model, in Hugging Face layout
    #[arg(long, value_name = "DIR")]
    pub save: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Turn files people have (WikiANN, XNLI, SQuAD and the like, Universal Dependencies, XCOPA, PAWS-X, Tatoeba, own tables) into
    /// checked Parquet
    #[command(
        after_help = "Examples:\n  harness data import ~/downloads/kit\n  harness data import train.tsv --format wikiann-text --name my-ner --language sw --split train"
    )]
    Import(Import),
    /// Write made-up multilingual data by a grammar, in the public schemas: the same seed gives the same bytes
    #[command(
        after_help = "Examples:\n  harness data generate my-world --seed 7\n  harness data generate small-world --seed 7 --languages en,sw,zh --scale 0.2"
    )]
    Generate(Generate),
    /// List imported data sets
    List,
    /// Read every file again, compare it with its manifest, and tell of texts that are in a train split too
    Check,
}

#[derive(Debug, Clone, Args)]
pub struct Generate {
    /// Name of the new data set
    pub name: Name,
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Only these languages of the mini world
    #[arg(long, value_delimiter = ',')]
    pub languages: Vec<Language>,
    /// Rows in proportion to those of the built-in data set
    #[arg(long, default_value_t = 1.0)]
    pub scale: f64,
}

#[derive(Debug, Clone, Args)]
pub struct Import {
    /// Folders in which the public data sets are recognised by their files' own names; or, with --format, the file (the
    /// shards of one Parquet table; for `tatoeba` the foreign file, then the English one)
    #[arg(required = true)]
    pub source: Vec<PathBuf>,
    /// Only these data sets of the folder
    #[arg(long, value_delimiter = ',')]
    pub only: Vec<Name>,
    /// Only these languages of the folder
    #[arg(long, value_delimiter = ',')]
    pub only_language: Vec<Language>,
    /// Format of single files; `harness list formats` shows all
    #[arg(long)]
    pub format: Option<Format>,
    /// Name of the data set that the files become part of
    #[arg(long)]
    pub name: Option<Name>,
    #[arg(long)]
    pub language: Option<Language>,
    #[arg(long)]
    pub split: Option<Split>,
    /// Names of the labels, in the order of their numbers; the files' own if left out
    #[arg(long, value_delimiter = ',')]
    pub labels: Vec<String>,
    #[command(flatten)]
    pub columns: Columns,
    /// Licence to note in the manifest
    #[arg(long, default_value = "not stated")]
    pub licence: String,
}

/// Names of the columns of one's own tables.
#[derive(Debug, Clone, Args)]
pub struct Columns {
    /// Format `sentences`: the column with the text
    #[arg(long, value_name = "COLUMN")]
    pub text: Option<String>,
    /// Format `sentences`: the column with the second text, if there are two
    #[arg(long, value_name = "COLUMN")]
    pub pair: Option<String>,
    /// Format `sentences`: the column with the label
    #[arg(long, value_name = "COLUMN")]
    pub label: Option<String>,
}

impl Columns {
    pub fn named(&self) -> tasks::Columns {
        tasks::Columns { text: self.text.clone(), pair: self.pair.clone(), label: self.label.clone() }
    }
}

#[derive(Debug, Clone, Args)]
pub struct Pretrain {
    /// Model folder to make
    pub out: PathBuf,
    /// Data set whose text (task mlm) is read
    #[arg(long, value_name = "DATA SET", default_value = "mini", conflicts_with = "text")]
    pub data_set: Name,
    /// Folder of text files named by their language (`sw.txt`), one sentence or paragraph a line; empty lines are passed over
    #[arg(long, value_name = "DIR")]
    pub text: Option<PathBuf>,
    /// Line i of every text file says the same
    #[arg(long, requires = "text")]
    pub parallel: bool,
    /// Only these languages
    #[arg(long, value_delimiter = ',')]
    pub languages: Vec<Language>,
    /// Go on from this model, by name or folder, with its tokenizer and its shape; without it, both are made
    #[arg(long, value_name = "MODEL", conflicts_with_all = ["vocabulary", "layers", "hidden", "heads", "feed_forward"])]
    pub from: Option<String>,
    /// Tokens of the vocabulary at most
    #[arg(long, default_value_t = 8000)]
    pub vocabulary: usize,
    #[arg(long, default_value_t = 6)]
    pub layers: usize,
    /// Features of a hidden state
    #[arg(long, default_value_t = 128)]
    pub hidden: usize,
    #[arg(long, default_value_t = 4)]
    pub heads: usize,
    /// Features inside a feed-forward block; twice those of a hidden state if left out
    #[arg(long)]
    pub feed_forward: Option<usize>,
    /// Tokens of a row at most, special ones included; 256, or what the model goes up to, if left out
    #[arg(long)]
    pub max_length: Option<usize>,
    /// Of pre-training alone; the saved configuration says 0.1
    #[arg(long, default_value_t = 0.0)]
    pub dropout: f64,
    #[arg(long, default_value_t = 24_000)]
    pub steps: u64,
    /// Tokens of a batch
    #[arg(long, default_value_t = 2048)]
    pub tokens: usize,
    /// Share of the tokens that are hidden
    #[arg(long, default_value_t = 0.15)]
    pub mask: f64,
    /// Share of the steps that compare nothing whose rows are a text and its translation (translation language modelling);
    /// 0.5 of parallel text and 0 of any other if left out
    #[arg(long)]
    pub translations: Option<f64>,
    /// Share of the same steps that rank a sentence's translation among those of the batch; 0.12 or 0
    #[arg(long)]
    pub ranking: Option<f64>,
    /// Share of the later steps that compare texts: which tokens of one the other does not say, and whether there are any;
    /// 0.7 or 0
    #[arg(long)]
    pub comparing: Option<f64>,
    /// Share of all steps that is over before texts are compared
    #[arg(long, default_value_t = 0.2)]
    pub comparing_after: f64,
    #[arg(long, default_value_t = 1e-3)]
    pub learning_rate: f64,
    /// Share of the steps during which the learning rate rises
    #[arg(long, default_value_t = 0.05)]
    pub warmup: f64,
    #[arg(long, default_value_t = 0.01)]
    pub weight_decay: f64,
    #[arg(long, default_value_t = 1.0)]
    pub clip: f64,
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    #[arg(long, default_value_t = Backend::Cpu)]
    pub backend: Backend,
    /// Precision of the saved weights
    #[arg(long, value_enum, default_value_t = SavedPrecision::F16)]
    pub precision: SavedPrecision,
    /// Seconds between checkpoints
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub checkpoint_every: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SavedPrecision {
    F32,
    F16,
}

#[derive(Debug, Clone, Args)]
pub struct Predict {
    /// Model folder (as `run --save` writes it), or the name of one in the models folder
    #[arg(long)]
    pub model: String,
    /// Files to run over, as `data import` takes them; labels are not needed
    #[arg(long, required = true, num_args = 1..)]
    pub input: Vec<PathBuf>,
    /// Its format; see `harness list formats`
    #[arg(long)]
    pub format: Format,
    #[command(flatten)]
    pub columns: Columns,
    #[arg(long, default_value = "en")]
    pub language: Language,
    #[arg(long, default_value_t = 128)]
    pub max_length: usize,
    #[arg(long)]
    pub stride: Option<usize>,
    #[arg(long, default_value_t = Backend::Cpu)]
    pub backend: Backend,
    /// Leave the logits out
    #[arg(long)]
    pub no_logits: bool,
}

#[derive(Debug, Clone, Args)]
pub struct Embed {
    #[arg(long)]
    pub model: String,
    /// Text file, one sentence a line
    #[arg(long)]
    pub input: PathBuf,
    /// `.parquet` or `.npy`
    #[arg(long)]
    pub output: PathBuf,
    /// Put before every sentence, as some encoders want
    #[arg(long, default_value = "")]
    pub prefix: String,
    /// Language of the sentences, where the model has a part for each
    #[arg(long)]
    pub language: Option<Language>,
    #[arg(long, default_value_t = 512)]
    pub max_length: usize,
    /// Scale every vector to length 1
    #[arg(long)]
    pub normalise: bool,
    #[arg(long, default_value_t = Backend::Cpu)]
    pub backend: Backend,
}

#[derive(Debug, Clone, Args)]
pub struct Score {
    /// Gold file or files, as `data import` takes them; for retrieval the English vectors (.npy)
    #[arg(long, required = true, num_args = 1..)]
    pub gold: Vec<PathBuf>,
    /// Format of the gold file; `tatoeba` scores vectors
    #[arg(long)]
    pub format: Format,
    #[command(flatten)]
    pub columns: Columns,
    /// One JSON object a line with `id` and `prediction`, as `harness predict` writes them; or one object
    /// {id: answer}, as SQuAD's script takes it; for retrieval the other language's vectors (.npy)
    #[arg(long)]
    pub predictions: PathBuf,
    /// Other predictions for the same gold, of the same form: the difference to them, with its interval and p
    #[arg(long)]
    pub against: Option<PathBuf>,
    /// Language of the texts (question answering normalises by language)
    #[arg(long, default_value = "en")]
    pub language: Language,
    /// Seed of the bootstrap
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}
