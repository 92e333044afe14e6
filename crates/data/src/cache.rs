use std::collections::BTreeMap;
use std::path::Path;

use files::sealed::{self, Broken};
use spec::{DataKey, DataSource, ExampleRows, Labels, Portion, Task};

use crate::encoded::Column;
use crate::{DataError, DataFolder, Encoded, Examples, Tokenization};

const MAGIC: &sealed::Magic = b"LETHEENC";
/// Bytes of a cache file: positions in it are 32 bits, and few columns have one for each token.
const LARGEST: u64 = 1 << 36;

/// Where encoded data came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CacheUse {
    /// Read from the cache.
    Hit,
    /// Encoded now, and put into the cache.
    Built,
    /// The cache's file was unusable for the given reason and has been replaced.
    Rebuilt(String),
    /// Encoded now; the cache could not be written for the given reason.
    Unwritten(String),
}

/// Raised when the encoding of the same examples changes, so that old cache files are not used.
const ENCODING_VERSION: u32 = 2;

/// How long sequences may be, and how they are cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodeOptions {
    /// Tokens of a sequence, special tokens included.
    pub max_length: usize,
    /// Tokens that neighbouring windows of a question share; other tasks do not use it.
    pub stride: usize,
    /// Put before every sentence for retrieval; other tasks do not use it.
    pub prefix: String,
}

impl EncodeOptions {
    pub fn of(source: DataSource) -> Self {
        Self { max_length: source.max_length, stride: source.stride, prefix: source.prefix.to_owned() }
    }
}

/// The selected examples of one file as token sequences, from the cache folder where possible, else by `encode`.
///
/// The cache's file is named by everything that decides its content: the data's hash, the portion, the tokenizer's hash, the
/// task, the lengths and the version of the encoding. Its own hash is verified; concurrent processes may use one folder.
///
/// # Errors
/// [`DataError`] of loading or encoding; never because of the cache.
pub fn encoded(
    cache: &Path,
    folder: &DataFolder,
    key: &DataKey,
    portion: Option<Portion>,
    tokenization: &Tokenization,
    options: &EncodeOptions,
    encode: impl FnOnce(&Examples, &Tokenization, &EncodeOptions) -> Result<Encoded, DataError>,
) -> Result<(Encoded, CacheUse), DataError> {
    let entry = folder.entry(key)?;
    let rows = portion.map_or(entry.rows, |portion| portion.count().min(entry.rows));
    let drawn = match portion {
        Some(Portion::Sample { seed, .. }) if rows < entry.rows => format!(" sampled {seed}"),
        _ => String::new(),
    };
    let EncodeOptions { max_length, stride, prefix } = options;
    // Settings that a task does not use must not part its files.
    let shape = key.task.description().rows;
    let stride = if shape == ExampleRows::Windows { *stride } else { 0 };
    let prefix = if shape == ExampleRows::Sides { prefix.as_str() } else { "" };
    let identity = format!(
        "encoding {ENCODING_VERSION}\ndata {}\nrows {rows}{drawn}\ntokenizer {}\ntask {}\nlength {max_length}\nstride {stride}\n\
         prefix {prefix}",
        entry.hash,
        tokenization.hash(),
        key.task,
    );
    let identity = blake3::hash(identity.as_bytes());
    let path = cache.join(format!("{}-{}-{}.enc", key.task, key.language, &identity.to_hex()[..32]));
    let mut usage = CacheUse::Built;
    if let Ok(bytes) = files::read(&path, LARGEST) {
        match parse(&bytes, identity.as_bytes(), key.task, entry.labels()) {
            Ok(encoded) if !encoded.is_sound(rows, tokenization, *max_length) => {
                usage = CacheUse::Rebuilt(format!("{}: holds what encoding does not make", path.display()));
            }
            Ok(encoded) => return Ok((encoded, CacheUse::Hit)),
            Err(reason) => usage = CacheUse::Rebuilt(format!("{}: {reason}", path.display())),
        }
    }
    let examples = folder.load(key, portion)?;
    let encoded = encode(&examples, tokenization, options)?;
    if let Err(error) = sealed::write(&path, MAGIC, &serialise(&encoded, identity.as_bytes())) {
        usage = CacheUse::Unwritten(error.kind().to_string());
    }
    Ok((encoded, usage))
}

fn serialise(encoded: &Encoded, identity: &[u8; 32]) -> Vec<u8> {
    // Task and labels are those of the file that the identity names.
    let Encoded { task: _, labels: _, examples, pad, max_length, bounds, ids, segments, owner, columns, cut } = encoded;
    let mut out = Writer(identity.to_vec());
    out.number(*examples as u64);
    out.number(*pad as u32 as u64);
    out.number(*max_length as u64);
    out.number(*cut);
    out.words(bounds);
    out.words(ids);
    out.bytes(segments);
    out.words(owner);
    out.number(columns.len() as u64);
    for (name, column) in columns {
        out.bytes(name.as_bytes());
        match column {
            Column::Tokens(values) => {
                out.number(0);
                out.signed(values);
            }
            Column::Items(values) => {
                out.number(1);
                out.signed(values);
            }
            Column::Lists { bounds, values } => {
                out.number(2);
                out.words(bounds);
                out.signed(values);
            }
        }
    }
    out.0
}

/// The parts as they were written; whether they fit each other is for [`Encoded::is_sound`] to say.
fn parse(bytes: &[u8], identity: &[u8; 32], task: Task, labels: Labels) -> Result<Encoded, &'static str> {
    let content = sealed::open(bytes, MAGIC).map_err(|broken| match broken {
        Broken::OfAnotherKind => "is not an encoded cache file",
        Broken::Damaged => "is damaged",
    })?;
    let content = content.strip_prefix(identity).ok_or("belongs to other data")?;
    let mut input = Reader(content);
    let read = (|| {
        let examples = input.number()? as usize;
        let pad = input.number()? as u32 as i32;
        let max_length = input.number()? as usize;
        let cut = input.number()?;
        let (bounds, ids, segments, owner) = (input.words()?, input.words()?, input.bytes()?.to_vec(), input.words()?);
        let mut columns = BTreeMap::new();
        for _ in 0..input.number()? {
            let name = String::from_utf8(input.bytes()?.to_vec()).ok()?;
            let column = match input.number()? {
                0 => Column::Tokens(input.signed()?),
                1 => Column::Items(input.signed()?),
                2 => Column::Lists { bounds: input.words()?, values: input.signed()? },
                _ => return None,
            };
            columns.insert(name, column);
        }
        Some(Encoded { task, labels, examples, pad, max_length, bounds, ids, segments, owner, columns, cut })
    })();
    read.filter(|_| input.0.is_empty()).ok_or("is of another layout")
}

/// Little-endian numbers; lists with their length in bytes in front.
struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, number: u64) {
        self.0.extend(number.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend(bytes);
    }

    fn words(&mut self, words: &[u32]) {
        self.number(4 * words.len() as u64);
        self.0.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    }

    fn signed(&mut self, numbers: &[i32]) {
        self.number(4 * numbers.len() as u64);
        self.0.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*number))
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn words(&mut self) -> Option<Vec<u32>> {
        let (words, []) = self.bytes()?.as_chunks() else { return None };
        Some(words.iter().map(|word| u32::from_le_bytes(*word)).collect())
    }

    fn signed(&mut self) -> Option<Vec<i32>> {
        let (numbers, []) = self.bytes()?.as_chunks() else { return None };
        Some(numbers.iter().map(|number| i32::from_le_bytes(*number)).collect())
    }
}
