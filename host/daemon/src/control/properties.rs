//! Property tests: lines of the protocol, valid and garbled.

use super::connections::{ConnectionStatus, EndOfList, TapLine, TapWhat, Wanted};
use super::invariants::{check, reply_comes_back, request_comes_back};
use super::profile::{EndOfProfile, ProfilePiece, ProfileSample};
use super::protocol::Reply;
use super::request::Request;
use super::status::{
    CallStatus, ConnectionCounts, CountStatus, DistributionStatus, GenerationState,
    GenerationStatus, ListenerStatus, RefusalStatus, Refused, RefusedReload, Reloaded,
    ServiceStatus, SlotCounts, Status, Swapped, WarningStatus, WorkerStatus,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::path::PathBuf;
use std::time::Duration;

fn requests() -> impl Strategy<Value = Request> {
    let path = any::<String>().prop_map(|name| PathBuf::from(format!("/{name}")));
    prop_oneof![
        Just(Request::Status),
        (
            option::of(any::<String>()),
            option::of(path),
            vec(any::<String>(), 0..3)
        )
            .prop_map(|(service, handler, allow_imports)| Request::Swap {
                service,
                handler,
                allow_imports
            }),
        (option::of(any::<String>()), option::of(any::<u64>())).prop_map(
            |(service, generation)| Request::RollBack {
                service,
                generation
            }
        ),
        Just(Request::Reload),
        (wanted(), option::of(0..=u64::from(u32::MAX))).prop_map(|(wanted, measure)| {
            let measure = measure.map(Duration::from_millis);
            Request::Connections { wanted, measure }
        }),
        (wanted(), any::<bool>()).prop_map(|(wanted, at_once)| {
            let service = wanted.service.or(Some("a".into()));
            let wanted = Wanted { service, ..wanted };
            Request::Disconnect { wanted, at_once }
        }),
        wanted().prop_map(Request::Tap),
        (option::of(any::<String>()), any::<u32>()).prop_map(|(service, milliseconds)| {
            let duration = Duration::from_millis(milliseconds.into());
            Request::Profile { service, duration }
        }),
        Just(Request::TakeOver),
        Just(Request::Retire),
    ]
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let text = || option::of(any::<String>());
    (text(), option::of(any::<u64>()), text()).prop_map(|(service, connection, peer)| Wanted {
        service,
        connection,
        peer,
    })
}

fn connections() -> impl Strategy<Value = ConnectionStatus> {
    let absent = || option::of(any::<u64>());
    let figures = (any::<[u64; 6]>(), [absent(), absent(), absent(), absent()]);
    (figures, any::<String>()).prop_map(|((figures, absent), text)| ConnectionStatus {
        id: figures[0],
        service: text.clone(),
        transport: text.clone(),
        peer: text.clone(),
        listener: text,
        generation: figures[1],
        age_milliseconds: figures[2],
        idle_seconds: figures[3],
        received_bytes: figures[4],
        sent_bytes: figures[5],
        messages: absent[0],
        unsent_bytes: absent[1],
        memory_bytes: absent[2],
        call_microseconds: absent[3],
    })
}

fn tap_lines() -> impl Strategy<Value = TapLine> {
    let bytes = || vec(any::<u8>(), 0..50);
    let what = prop_oneof![
        (any::<[String; 3]>(), any::<bool>()).prop_map(|([service, peer, listener], fresh)| {
            TapWhat::Begun {
                service,
                peer,
                listener,
                fresh,
            }
        }),
        bytes().prop_map(|bytes| TapWhat::FromClient(bytes.into())),
        bytes().prop_map(|bytes| TapWhat::ToClient(bytes.into())),
        Just(TapWhat::Finished),
        Just(TapWhat::Closed),
        any::<u64>().prop_map(TapWhat::Dropped),
    ];
    (any::<[u64; 2]>(), what).prop_map(|([at_unix_microseconds, connection], what)| TapLine {
        at_unix_microseconds,
        connection,
        what,
    })
}

fn profile_pieces() -> impl Strategy<Value = ProfilePiece> {
    let sample = (any::<u64>(), any::<[u32; 2]>(), option::of(any::<u64>()));
    let sample = sample.prop_map(
        |(at_microseconds, [stack, service], generation)| ProfileSample {
            at_microseconds,
            stack,
            service,
            generation,
        },
    );
    let stack = (option::of(any::<u32>()), any::<u32>());
    let rows = (
        vec(any::<String>(), 0..4),
        vec(stack, 0..4),
        vec(sample, 0..4),
    );
    rows.prop_map(|(functions, stacks, samples)| ProfilePiece {
        functions,
        stacks,
        samples,
    })
}

fn generations() -> impl Strategy<Value = GenerationStatus> {
    let state = prop_oneof![
        Just(GenerationState::Current),
        Just(GenerationState::Previous),
        Just(GenerationState::Old),
    ];
    (any::<[u64; 4]>(), state, any::<String>()).prop_map(|(counts, state, text)| GenerationStatus {
        service: text.clone(),
        number: counts[0],
        state,
        handler: text.clone(),
        sha256: text,
        age_seconds: counts[1],
        connections: counts[2],
        failed_calls: counts[3],
        calls: calls(counts[3]),
        connection_milliseconds: distribution(counts[3]),
    })
}

fn statuses() -> impl Strategy<Value = Status> {
    let refusal = (any::<u64>(), any::<String>()).prop_map(|(at, text)| RefusalStatus {
        at_unix_seconds: at,
        handler: text.clone(),
        reason: text,
    });
    (
        any::<u32>(),
        any::<[u64; 8]>(),
        any::<String>(),
        vec(generations(), 0..4),
        option::of(refusal),
    )
        .prop_map(|(pid, counts, text, generations, last_refusal)| Status {
            pid,
            version: text.clone(),
            commit: Some(text.clone()),
            uptime_seconds: counts[0],
            resident_bytes: Some(counts[1]),
            services: vec![service(&text, counts)],
            started_unix_seconds: counts[0],
            workers: vec![WorkerStatus {
                number: counts[2],
                connections: counts[3],
                busy: true,
            }],
            listeners: vec![ListenerStatus {
                uri: text.clone(),
                service: text.clone(),
                connections: counts[1],
            }],
            generations,
            versions: Vec::new(),
            connections: ConnectionCounts {
                open: counts[1],
                total: counts[2],
            },
            slots: SlotCounts {
                taken: pid,
                total: pid,
            },
            wipe: text.clone(),
            received_bytes: counts[3],
            sent_bytes: counts[4],
            messages: counts[5],
            turned_away: counts[5],
            failed_calls: counts[6],
            limits_reached: [(text.clone(), counts[1])].into(),
            dropped_datagrams: [(text.clone(), counts[2])].into(),
            refused_swaps: counts[7],
            last_refusal,
            refused_reloads: counts[7],
            last_refused_reload: Some(RefusedReload {
                at_unix_seconds: counts[0],
                reason: text.clone(),
            }),
            last_warnings: [WarningStatus {
                at_unix_seconds: counts[0],
                level: text.clone(),
                service: Some(text.clone()),
                message: text,
                times: counts[1],
            }]
            .into(),
        })
}

fn service(name: &str, counts: [u64; 8]) -> ServiceStatus {
    ServiceStatus {
        name: name.to_owned(),
        connections: ConnectionCounts {
            open: counts[1],
            total: counts[2],
        },
        received_bytes: counts[3],
        sent_bytes: counts[4],
        messages: counts[5],
        turned_away: counts[5],
        failed_calls: counts[6],
        refused_swaps: counts[7],
        calls: calls(counts[0]),
    }
}

fn calls(count: u64) -> CallStatus {
    CallStatus {
        microseconds: distribution(count),
        message_bytes: distribution(count),
        cpu_microseconds: count,
    }
}

fn distribution(count: u64) -> DistributionStatus {
    DistributionStatus {
        sum: count,
        counts: [Some(count), None]
            .map(|up_to| CountStatus { up_to, count })
            .into(),
    }
}

fn replies() -> impl Strategy<Value = Reply> {
    prop_oneof![
        statuses().prop_map(|status| Reply::Status(status.into())),
        (any::<[u64; 2]>(), any::<[String; 2]>()).prop_map(
            |([generation, replaced], [handler, sha256])| {
                Reply::Swapped(Swapped {
                    generation,
                    replaced,
                    handler,
                    sha256,
                    connections: None,
                })
            }
        ),
        (any::<String>(), option::of(any::<String>())).prop_map(|(reason, detail)| Reply::Refused(
            Refused {
                reason,
                mistakes: detail.clone(),
                detail
            }
        )),
        vec(any::<String>(), 0..4).prop_map(|changes| Reply::Reloaded(Reloaded { changes })),
        vec(any::<String>(), 0..4).prop_map(Reply::Listeners),
        any::<u32>().prop_map(|pid| Reply::Retiring { pid }),
        vec(connections(), 0..4).prop_map(Reply::Connections),
        any::<u64>().prop_map(|connections| Reply::End(EndOfList { connections })),
        any::<u64>().prop_map(|connections| Reply::Disconnected { connections }),
        any::<u64>().prop_map(|connections| Reply::Tapping { connections }),
        vec(tap_lines(), 0..4).prop_map(Reply::Tapped),
        vec(any::<String>(), 0..4).prop_map(|services| Reply::Profiling { services }),
        profile_pieces().prop_map(Reply::Profiled),
        any::<u64>().prop_map(|dropped| Reply::ProfileEnd(EndOfProfile { dropped })),
        any::<String>().prop_map(Reply::Error),
    ]
}

/// Near requests: the right members with any values, or any JSON.
fn near_requests() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just("1".to_owned()),
        Just("\"swap\"".to_owned()),
        Just("\"/a\"".to_owned()),
        Just("null".to_owned()),
        "[-0-9.eE\"\\\\{}\\[\\],:a-z]{0,12}",
    ];
    let name = prop_oneof![
        Just("version"),
        Just("command"),
        Just("handler"),
        Just("service"),
        Just("connection"),
        Just("peer"),
        Just("at-once"),
        Just("measure-milliseconds"),
        Just("duration-milliseconds"),
        Just("x")
    ];
    vec((name, value), 0..5).prop_map(|members| {
        let members: Vec<_> = members
            .iter()
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        format!("{{{}}}", members.join(","))
    })
}

proptest! {
    #[test]
    fn a_request_is_one_line_and_comes_back(request in requests()) {
        request_comes_back(request);
    }

    #[test]
    fn a_reply_is_one_line_and_comes_back(reply in replies()) {
        reply_comes_back(reply);
    }

    #[test]
    fn any_line_is_understood_or_refused(bytes in vec(any::<u8>(), 0..200), text in near_requests()) {
        check(&bytes);
        check(text.as_bytes());
    }
}
