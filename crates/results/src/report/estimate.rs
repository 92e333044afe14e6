use std::collections::BTreeMap;

use evaluation::{
    Contribution, Interval, LanguageContributions, Runs, StatisticsError, interval, macro_interval, macro_ratio, ratio,
};
use spec::{Language, Probe};

use super::experiment::MethodRuns;
use crate::record::ProbeExamples;

/// Every interval and test draws from this seed: a report computed again is the same.
pub(crate) const SEED: u64 = 0;

/// A value with its 95 % interval and the number of examples behind it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Estimate {
    pub value: f64,
    pub interval: Interval,
    pub examples: usize,
}

impl Estimate {
    pub fn of(examples: &[Contribution], resamples: usize) -> Result<Self, StatisticsError> {
        let interval = interval(examples, SEED, resamples)?;
        Ok(Self { value: ratio(examples), interval, examples: examples.len() })
    }

    pub fn of_average(languages: &LanguageContributions, resamples: usize) -> Result<Self, StatisticsError> {
        let interval = macro_interval(languages, SEED, resamples)?;
        Ok(Self { value: macro_ratio(languages), interval, examples: languages.values().map(Vec::len).sum() })
    }
}

/// The examples of a method in one language; contributions are means over the seeds, so that methods with different
/// numbers of seeds can be compared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pooled {
    pub ids: Vec<String>,
    pub contributions: Vec<Contribution>,
    seeds: usize,
}

/// Moment, probe and metric.
type Key = (u32, String, String);

/// Pooled examples by moment, probe, metric and language, and those of each seed.
#[derive(Default)]
pub(crate) struct Measured {
    pools: BTreeMap<Key, BTreeMap<Language, Pooled>>,
    runs: BTreeMap<Key, Runs>,
    /// Seeds whose records could be used.
    pub seeds: Vec<u64>,
    /// Records that could not be read, and languages whose seeds have different examples.
    pub faults: Vec<String>,
}

impl Measured {
    /// Reads the examples of a method's finished cells.
    pub fn read(method: &MethodRuns) -> Self {
        let mut measured = Self::default();
        for finished in method.done() {
            match finished.examples() {
                Ok(probes) => {
                    measured.seeds.push(finished.cell.seed);
                    probes.into_iter().for_each(|probe| measured.add(finished.cell.seed, probe));
                }
                Err(error) => measured.faults.push(error.to_string()),
            }
        }
        // A language that some seed did not measure is a hole, not an average of the other seeds.
        let seeds = measured.seeds.len();
        for (key, languages) in &mut measured.pools {
            languages.retain(|language, pool| {
                let complete = pool.seeds == seeds;
                if !complete {
                    measured.faults.push(format!(
                        "{}: `{}` of `{language}` does not have the same examples in every seed",
                        method.label, key.2
                    ));
                }
                complete
            });
            for contribution in languages.values_mut().flat_map(|pool| &mut pool.contributions) {
                contribution.numerator /= seeds as f64;
                contribution.denominator /= seeds as f64;
            }
        }
        measured
    }

    fn add(&mut self, seed: u64, probe: ProbeExamples) {
        let ProbeExamples { moment, probe, language, ids, contributions } = probe;
        for (metric, contributions) in contributions {
            let key = (moment, probe.to_string(), metric);
            let run = self.runs.entry(key.clone()).or_default().entry(seed).or_default();
            run.insert(language.to_string(), contributions.clone());
            let languages = self.pools.entry(key).or_default();
            let Some(pool) = languages.get_mut(&language) else {
                languages.insert(language, Pooled { ids: ids.clone(), contributions, seeds: 1 });
                continue;
            };
            if pool.ids == ids {
                pool.seeds += 1;
                for (sum, one) in pool.contributions.iter_mut().zip(contributions) {
                    sum.numerator += one.numerator;
                    sum.denominator += one.denominator;
                }
            }
        }
    }

    pub fn get(&self, moment: u32, probe: &Probe, metric: &str, language: Language) -> Option<&Pooled> {
        self.pools.get(&(moment, probe.name.to_string(), metric.to_owned()))?.get(&language)
    }

    /// The contributions of all these languages in every seed, or the languages that lack them.
    pub fn runs(
        &self,
        moment: u32,
        probe: &Probe,
        metric: &str,
        languages: &[Language],
    ) -> Result<Runs, Vec<Language>> {
        self.check(moment, probe, metric, languages)?;
        let wanted = |run: &LanguageContributions| -> LanguageContributions {
            let own = run.iter().filter(|(code, _)| languages.iter().any(|language| language.code() == code.as_str()));
            own.map(|(code, contributions)| (code.clone(), contributions.clone())).collect()
        };
        let runs = self.runs.get(&(moment, probe.name.to_string(), metric.to_owned()));
        Ok(runs.into_iter().flatten().map(|(seed, run)| (*seed, wanted(run))).collect())
    }

    /// The contributions of all these languages, or the languages that lack them.
    pub fn all(
        &self,
        moment: u32,
        probe: &Probe,
        metric: &str,
        languages: &[Language],
    ) -> Result<LanguageContributions, Vec<Language>> {
        self.check(moment, probe, metric, languages)?;
        let pools = languages.iter().filter_map(|&l| Some((l, self.get(moment, probe, metric, l)?)));
        Ok(pools.map(|(language, pool)| (language.to_string(), pool.contributions.clone())).collect())
    }

    /// Refuses languages that lack examples in some seed.
    fn check(&self, moment: u32, probe: &Probe, metric: &str, languages: &[Language]) -> Result<(), Vec<Language>> {
        let lacking: Vec<Language> =
            languages.iter().copied().filter(|&language| self.get(moment, probe, metric, language).is_none()).collect();
        if lacking.is_empty() { Ok(()) } else { Err(lacking) }
    }
}
