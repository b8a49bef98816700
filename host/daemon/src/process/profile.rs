//! Profiles of running guests, for the operator of a host.

use super::connections::refused;
use crate::control::{ProfilePiece, ProfileSample, Profiling, Refused};
use crate::host::{Host, Service};
use connection::limits::{PROFILE_FUNCTIONS_OF_A_REPLY, PROFILE_ROWS_OF_A_REPLY};
use engine::{Batch, Profiler, Sample, VersionId};
use std::collections::HashMap;
use std::sync::Arc;

/// Samples guests of a service, or of all that there are now.
pub fn begin(host: &Host, service: Option<&str>) -> Result<Profiling, Refused> {
    let services = match service {
        Some(_) => vec![host.service(service).map_err(refused)?],
        None => host.services().to_vec(),
    };
    let profiler = Arc::<Profiler>::default();
    let sampled = services.iter().zip(0..).map(|(service, number)| {
        let swapper = service.swapper();
        swapper.profile(&profiler, number).ok_or_else(|| {
            let name = service.name();
            refused(format_args!("service {name} is being profiled already"))
        })
    });
    let sampled: Vec<_> = sampled.collect::<Result<_, _>>()?;
    let names = services.iter().map(|it| it.name().to_string()).collect();
    Ok(Profiling {
        services: names,
        take: Box::new(move || {
            // Those who are sampled are sampled as long as this closure exists.
            let _ = &sampled;
            let batch = profiler.take();
            let dropped = batch.dropped;
            (pieces(batch, &services), dropped)
        }),
    })
}

/// A batch in pieces of which none is too long for a reply.
fn pieces(batch: Batch, services: &[Service]) -> Vec<ProfilePiece> {
    let mut generations = Generations {
        services,
        known: HashMap::new(),
    };
    let stacks: Vec<_> = (batch.stacks.iter())
        .map(|stack| (stack.caller, stack.function))
        .collect();
    let samples: Vec<_> = (batch.samples.iter())
        .map(|sample| ProfileSample {
            at_microseconds: sample.at.as_micros() as u64,
            stack: sample.stack,
            service: sample.service,
            generation: generations.of(sample),
        })
        .collect();
    let functions = batch.functions.chunks(PROFILE_FUNCTIONS_OF_A_REPLY);
    let functions = functions.map(|functions| ProfilePiece {
        functions: functions.to_vec(),
        ..ProfilePiece::default()
    });
    let stacks = stacks.chunks(PROFILE_ROWS_OF_A_REPLY);
    let stacks = stacks.map(|stacks| ProfilePiece {
        stacks: stacks.to_vec(),
        ..ProfilePiece::default()
    });
    let samples = samples.chunks(PROFILE_ROWS_OF_A_REPLY);
    let samples = samples.map(|samples| ProfilePiece {
        samples: samples.to_vec(),
        ..ProfilePiece::default()
    });
    functions.chain(stacks).chain(samples).collect()
}

/// Which generations the versions of samples are.
struct Generations<'a> {
    services: &'a [Service],
    known: HashMap<VersionId, Option<u64>>,
}

impl Generations<'_> {
    fn of(&mut self, sample: &Sample) -> Option<u64> {
        let services = self.services;
        let find = || {
            let generations = services
                .get(sample.service as usize)?
                .served()
                .generations();
            let all = [Some(generations.current()), generations.previous()];
            let mut all = all.into_iter().flatten().chain(generations.old());
            let found = all.find(|it| it.made_from.handler.is_version(sample.version))?;
            Some(found.number)
        };
        *self.known.entry(sample.version).or_insert_with(find)
    }
}
