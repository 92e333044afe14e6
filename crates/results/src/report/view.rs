//! What a table shows.

use spec::{Direction, Language, Metric, Probe, Protocol, Task, Unit};

use super::ReportOptions;
use super::estimate::Measured;
use super::experiment::Experiment;
use crate::number;

/// One metric of one probe: what a table shows.
pub struct View<'a> {
    pub probe: &'a Probe,
    pub metric: &'a str,
    pub unit: Unit,
    pub better: Direction,
    /// The last moment at which the probe was measured.
    pub moment: u32,
    /// The first one, where there is an earlier one.
    pub before: Option<u32>,
    /// Source languages first.
    pub languages: Vec<Language>,
    sources: Vec<Language>,
    pub targets: Vec<Language>,
}

/// A method's examples, with its name as it stands in tables: `†` marks seeds that are missing.
pub struct Row {
    pub name: String,
    pub label: String,
    pub measured: Measured,
}

impl View<'_> {
    /// What the average runs over, in words.
    pub fn average(&self) -> &'static str {
        if self.targets.len() == self.languages.len() { "all languages" } else { "target languages" }
    }

    pub fn when(&self) -> String {
        when(self.moment as usize)
    }

    /// Probe, metric and moment.
    pub fn title(&self) -> String {
        format!("{} ({}), {}", self.probe.name, self.metric, self.when())
    }

    /// In what its numbers are, and which are better where that is not the usual.
    pub fn in_unit(&self) -> String {
        let lower = if self.better == Direction::Lower { " (lower is better)" } else { "" };
        format!("{}{lower}", number::name(self.unit))
    }

    /// Source languages that are shown.
    pub fn sources(&self) -> impl Iterator<Item = Language> + '_ {
        self.languages.iter().copied().filter(|language| self.sources.contains(language))
    }

    /// Names of the language columns and of the average; source languages carry a star.
    pub fn columns(&self) -> impl Iterator<Item = String> + '_ {
        let star = |language: &Language| if self.sources.contains(language) { "*" } else { "" };
        self.languages.iter().map(move |language| format!("{language}{}", star(language))).chain(["avg".to_owned()])
    }
}

pub fn when(moment: usize) -> String {
    match moment {
        0 => "before training".to_owned(),
        stage => format!("after stage {stage}"),
    }
}

/// The probes of all moments, each once.
pub fn distinct_probes(protocol: &Protocol) -> Vec<&Probe> {
    let mut probes: Vec<&Probe> = Vec::new();
    for probe in protocol.probes() {
        if !probes.iter().any(|known| known.name == probe.name) {
            probes.push(probe);
        }
    }
    probes
}

/// Every probe with each metric asked for, in the protocol's order.
pub fn views<'a>(experiment: &Experiment<'a>, options: &'a ReportOptions) -> Vec<View<'a>> {
    let protocol = &experiment.cell.protocol;
    // Where a stage before it trains something else, as MAD-X's on text, its languages are no sources of the task.
    let sources = |probe: &Probe| match protocol.of_task(probe.task) {
        own if own.is_empty() => protocol.sources(),
        own => own,
    };
    let mut views: Vec<View> = Vec::new();
    for (moment, probe) in protocol.moments().enumerate().flat_map(|(m, probes)| probes.iter().map(move |p| (m, p))) {
        let moment = u32::try_from(moment).unwrap_or(u32::MAX);
        let known = views.iter_mut().filter(|view| view.probe.name == probe.name);
        let mut seen = false;
        for view in known {
            view.before.get_or_insert(view.moment);
            (view.moment, seen) = (moment, true);
        }
        if seen {
            continue;
        }
        let sources = sources(probe);
        let (own, targets): (Vec<Language>, Vec<Language>) =
            probe.languages.iter().partition(|language| sources.contains(language));
        let languages: Vec<Language> = own.iter().chain(&targets).copied().collect();
        let targets = if targets.is_empty() { languages.clone() } else { targets };
        for metric in metrics(probe.task, options) {
            let (sources, languages, targets) = (own.clone(), languages.clone(), targets.clone());
            let (metric, Metric { unit, better, .. }) = metric;
            views.push(View { probe, metric, unit, better, moment, before: None, languages, sources, targets });
        }
    }
    // Tables of the task that was trained come first.
    views.sort_by_key(|view| Some(view.probe.task) != protocol.task());
    views
}

/// The task's main metric, and those of its others that are asked for, each with what the table of tasks says of it.
fn metrics(task: Task, options: &ReportOptions) -> Vec<(&str, Metric)> {
    let main = task.main_metric();
    let family = main.split('.').next().unwrap_or(main);
    let others = options.metrics.iter().map(String::as_str);
    let others = others.filter(|metric| *metric != main && metric.split('.').next() == Some(family));
    let names = std::iter::once(main).chain(others);
    names.filter_map(|name| Some((name, Metric::of(name).ok()?))).collect()
}
