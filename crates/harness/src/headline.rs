//! A finished cell in one line.

use std::collections::BTreeMap;

use results::Score;
use spec::{Language, Name, Task};

/// Main metric of every probe, in percent: English and the mean of the other languages, before and after where both were
/// measured. For a first look while a sweep runs; the tables have the intervals.
pub fn headline(scores: &[Score]) -> String {
    let mut probes: BTreeMap<(&Name, Task), BTreeMap<u32, Mean>> = BTreeMap::new();
    for score in scores.iter().filter(|score| score.metric == score.task.main_metric()) {
        let mean = probes.entry((&score.probe, score.task)).or_default().entry(score.moment).or_default();
        match score.language == Language::ENGLISH {
            true => mean.english = Some(score.value),
            false => mean.others.push(score.value),
        }
    }
    let parts = probes.into_iter().map(|((probe, _), moments)| {
        let first = moments.values().next();
        let last = moments.values().last().filter(|_| moments.len() > 1);
        let said: Vec<String> = first.into_iter().chain(last).map(Mean::text).collect();
        format!("{probe} {}", said.join(" → "))
    });
    parts.collect::<Vec<_>>().join(", ")
}

#[derive(Default)]
struct Mean {
    english: Option<f64>,
    others: Vec<f64>,
}

impl Mean {
    fn text(&self) -> String {
        let others = (!self.others.is_empty()).then(|| self.others.iter().sum::<f64>() / self.others.len() as f64);
        let percent = |value: f64| format!("{:.1}", 100.0 * value);
        match (self.english, others) {
            (Some(english), Some(others)) => format!("en {} others {}", percent(english), percent(others)),
            (english, others) => english.or(others).map(percent).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_others_before_and_after() {
        let score = |probe: &str, task: Task, moment, language: &str, value| Score {
            moment,
            probe: Name::new(probe).unwrap(),
            task,
            language: Language::parse(language).unwrap(),
            metric: task.main_metric().to_owned(),
            value,
            low: None,
            high: None,
            examples: 10,
        };
        let scores = [
            score("names", Task::Ner, 1, "en", 0.9),
            score("names", Task::Ner, 1, "de", 0.7),
            score("names", Task::Ner, 1, "sw", 0.5),
            score("pairs", Task::Retrieval, 0, "de", 0.8),
            score("pairs", Task::Retrieval, 1, "de", 0.25),
        ];
        assert_eq!(headline(&scores), "names en 90.0 others 60.0, pairs 80.0 → 25.0");
    }
}
