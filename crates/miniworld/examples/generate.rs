//! `generate FOLDER NAME [SEED]` writes the mini world; `generate --sample COUNT` prints sentences of every language to read.

use std::path::Path;
use std::process::ExitCode;

use data::DataFolder;

use miniworld::tasks::{inferences, questions, sentences};
use miniworld::{Language, MiniworldError, Sizes};
use spec::{Name, Split};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--sample", count] => count
            .parse()
            .map_err(|_| format!("\"{count}\" is not a number"))
            .and_then(|count| sample(count).map_err(|error| error.to_string())),
        [folder, name] => write(folder, name, 1),
        [folder, name, seed] => {
            seed.parse().map_err(|_| format!("\"{seed}\" is not a seed")).and_then(|seed| write(folder, name, seed))
        }
        _ => Err("usage: generate FOLDER NAME [SEED] | generate --sample COUNT".to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn write(folder: &str, name: &str, seed: u64) -> Result<(), String> {
    let name = Name::new(name).map_err(|error| error.to_string())?;
    let folder = DataFolder::open(Path::new(folder));
    let languages = Language::ALL.map(spec::Language::from);
    let progress = &mut |language: &str| eprintln!("{language}");
    let entries = miniworld::generate(&Sizes::default(), seed, &languages, &folder, &name, progress)
        .map_err(|error| error.to_string())?;
    println!("{} files of data set {name}", entries.len());
    Ok(())
}

fn sample(count: usize) -> Result<(), MiniworldError> {
    let told: Vec<_> = Split::ALL
        .into_iter()
        .map(|split| sentences(7, "sample", split, count))
        .collect::<Result<Vec<_>, _>>()?
        .concat();
    let asked = questions(7, "sample", Split::Train, count)?;
    let inferred = inferences(7, "sample", Split::Train, count)?;
    for language in Language::ALL {
        println!("== {}", language.code());
        for told in &told {
            println!("{}", language.say(&told.fact, told.style).text());
        }
        for plan in &asked {
            if let Some(question) = plan.say(language) {
                println!("{}\n  {} [{}]", question.context, question.question, question.answers[0].text);
            }
        }
        for (row, plan) in inferred.iter().enumerate() {
            let pair = plan.say(language, row);
            println!("{}\n  {} {:?}", pair.premise, pair.hypothesis, plan.label);
        }
    }
    Ok(())
}
