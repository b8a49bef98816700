//! The phases of a run, and what is watched in them.

use crate::control;
use crate::findings::Findings;
use crate::host::Host;
use crate::operators::{self, Changer};
use crate::record::Record;
use crate::regulars::Regular;
use crate::site::Site;
use crate::usage::Usage;
use crate::verdict;
use crate::villains::Villain;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};

/// Interval between two samples of the host's resources, and samples per progress line.
const LOOK: Duration = Duration::from_secs(2);
const LOOKS_A_LINE: u32 = 5;
/// Time limit for all clients to leave, and for the host to release everything.
const SETTLE: Duration = Duration::from_secs(60);
/// How long the host must look settled: longer than it waits for any client of its control socket.
const CALM: Duration = Duration::from_secs(6);

/// First everything once, to sample a host that has done it; then everything for the given time;
/// then nothing, to see whether the host returns to the first sample.
pub struct Course<'a> {
    seed: u64,
    site: Arc<Site>,
    host: &'a Host,
    record: Arc<Record>,
    findings: Arc<Findings>,
    samples: Samples,
}

/// Samples of the host during the run.
#[derive(Default)]
pub struct Samples {
    pub resident_kib: Vec<u64>,
    /// The highest rate of log lines between two samples, per second.
    pub most_lines_a_second: u64,
}

/// The results after all phases.
pub struct Outcome {
    pub baseline: Usage,
    pub end: Usage,
    /// The host's final status.
    pub status: Value,
    pub samples: Samples,
}

impl<'a> Course<'a> {
    pub fn new(
        seed: u64,
        site: Arc<Site>,
        host: &'a Host,
        record: Arc<Record>,
        findings: Arc<Findings>,
    ) -> Self {
        Course {
            seed,
            site,
            host,
            record,
            findings,
            samples: Samples::default(),
        }
    }

    /// Runs all phases, unless there is a finding.
    pub async fn run(mut self, length: Duration) -> Result<Outcome> {
        println!("rehearsal: everything once");
        self.rehearse().await?;
        let baseline = self.settle(None).await?;
        println!("baseline: {}", line(&baseline));
        self.torture(length).await?;
        let end = self.settle(Some(&baseline)).await?;
        let kept_kib = end.resident_kib.saturating_sub(baseline.resident_kib);
        if let Some((before, after)) = verdict::growth(&self.samples.resident_kib, kept_kib) {
            self.findings.add(&format!(
                "memory grows: {before} KiB in the second quarter, {after} KiB in the last"
            ));
        }
        Ok(Outcome {
            baseline,
            end,
            status: control::status(&self.site.control()).await?,
            samples: self.samples,
        })
    }

    async fn rehearse(&mut self) -> Result<()> {
        let (enough, mut tasks) = (Arc::new(AtomicBool::new(false)), JoinSet::new());
        self.invite_regulars(&mut tasks, &enough);
        let mut deeds = Villain::rehearsal(
            self.stream(Stream::Rehearsal),
            &self.site,
            &self.record,
            &self.findings,
        );
        self.changer(Stream::Rehearsal).rehearse().await?;
        while deeds.join_next().await.is_some() {}
        enough.store(true, Ordering::Relaxed);
        leave(tasks).await
    }

    async fn torture(&mut self, length: Duration) -> Result<()> {
        let (enough, mut villains) = (Arc::new(AtomicBool::new(false)), JoinSet::new());
        let (last, mut regulars) = (Arc::new(AtomicBool::new(false)), JoinSet::new());
        self.invite_regulars(&mut regulars, &last);
        for villain in Villain::all(
            self.stream(Stream::Villains),
            &self.site,
            &self.record,
            &self.findings,
        ) {
            villains.spawn(villain.live(enough.clone()));
        }
        let (mut changer, findings, stop) = (
            self.changer(Stream::Changes),
            self.findings.clone(),
            enough.clone(),
        );
        villains.spawn(async move {
            if let Err(error) = changer.live(&stop).await {
                findings.add(&format!("an operator {error:#}"));
            }
        });
        let (looking, findings) = (
            operators::look(self.site.clone(), self.record.clone(), last.clone()),
            self.findings.clone(),
        );
        regulars.spawn(async move {
            if let Err(error) = looking.await {
                findings.add(&format!("an operator who looks: {error:#}"));
            }
        });
        self.watch(length).await;
        enough.store(true, Ordering::Relaxed);
        leave(villains).await?;
        // The well-behaved clients continue for a moment, with the host to themselves.
        sleep(CALM).await;
        last.store(true, Ordering::Relaxed);
        leave(regulars).await
    }

    /// Watches the host and its log during the run.
    async fn watch(&mut self, length: Duration) {
        let begun = Instant::now();
        let mut looks = interval(LOOK);
        let (mut look, mut lines, mut last) = (0, self.host.log.count(), begun);
        while begun.elapsed() < length {
            looks.tick().await;
            look += 1;
            let (before, since) = (lines, last.elapsed());
            (lines, last) = (self.host.log.count(), Instant::now());
            self.check_rate(lines - before, since.max(LOOK));
            let Some(usage) = self.look() else { return };
            self.samples.resident_kib.push(usage.resident_kib);
            if look % LOOKS_A_LINE == 0 {
                self.tell(begun.elapsed(), &usage);
            }
        }
    }

    fn check_rate(&mut self, lines: u64, within: Duration) {
        let rate = (lines as f64 / within.as_secs_f64()) as u64;
        let most = (verdict::MOST_LINES_A_SECOND as f64 * within.as_secs_f64()) as u64;
        if lines > most + verdict::HELD_BACK_LINES {
            self.findings
                .add(&format!("the host logs {rate} lines a second"));
        }
        let most = &mut self.samples.most_lines_a_second;
        *most = rate.max(*most);
    }

    fn tell(&self, elapsed: Duration, usage: &Usage) {
        let all = self.record.all_regulars();
        println!(
            "{:4} s: {}, {} messages (max {:.0} ms), {} misdeeds",
            elapsed.as_secs(),
            line(usage),
            all.messages,
            all.latency_ms(100.0),
            self.record.deeds(),
        );
    }

    /// The host's resources, if it runs and its log is in order.
    fn look(&self) -> Option<Usage> {
        if let Some(stray) = self.host.log.stray() {
            self.findings.add(&format!("the host says: {stray}"));
        }
        let usage = Usage::of(self.site.pid);
        if let Err(error) = &usage {
            self.findings.add(&format!("the host has ended: {error:#}"));
        }
        if let Some(excess) = usage.as_ref().ok().and_then(verdict::excess) {
            self.findings.add(&format!("the host had {excess}"));
        }
        usage.ok()
    }

    /// Waits until the host has released everything: until it uses no more than before or, if that
    /// is unknown, until it uses the same for a while.
    async fn settle(&self, baseline: Option<&Usage>) -> Result<Usage> {
        let stream = match baseline {
            None => Stream::Before,
            Some(_) => Stream::After,
        };
        self.changer(stream).tidy().await?;
        let deadline = Instant::now() + SETTLE;
        let (mut since, mut last) = (Instant::now(), Usage::default());
        loop {
            let status = control::status(&self.site.control()).await?;
            let usage = Usage::of(self.site.pid)?;
            if (usage.descriptors, usage.threads) != (last.descriptors, last.threads) {
                since = Instant::now();
            }
            last = usage;
            let left = verdict::left_behind(baseline.unwrap_or(&usage), &usage, &status);
            match left {
                None if since.elapsed() >= CALM => return Ok(usage),
                Some(left) if Instant::now() > deadline => {
                    self.findings.add(&format!(
                        "{SETTLE:?} after everybody left the host still has {left}"
                    ));
                    bail!("the host did not settle");
                }
                _ => sleep(LOOK / 4).await,
            }
        }
    }

    fn invite_regulars(&self, tasks: &mut JoinSet<()>, enough: &Arc<AtomicBool>) {
        for regular in Regular::all(self.stream(Stream::Regulars), &self.site, &self.record) {
            tasks.spawn(regular.live(enough.clone(), self.findings.clone()));
        }
    }

    fn changer(&self, stream: Stream) -> Changer {
        Changer::new(self.stream(stream), self.site.clone(), self.record.clone())
    }

    /// The seed of the actors of one kind.
    fn stream(&self, stream: Stream) -> u64 {
        self.seed.wrapping_mul(1000).wrapping_add(stream as u64)
    }
}

#[derive(Clone, Copy)]
enum Stream {
    Regulars = 0,
    Villains = 100,
    Changes = 200,
    Rehearsal = 300,
    Before = 400,
    After = 500,
}

/// Waits until all have left.
async fn leave(mut tasks: JoinSet<()>) -> Result<()> {
    let leaving = async { while tasks.join_next().await.is_some() {} };
    timeout(SETTLE, leaving)
        .await
        .context("somebody does not come to an end")
}

fn line(usage: &Usage) -> String {
    let Usage {
        resident_kib,
        descriptors,
        threads,
        mappings,
        ..
    } = usage;
    format!(
        "{} MiB, {descriptors} descriptors, {threads} threads, {mappings} mappings",
        resident_kib >> 10
    )
}
