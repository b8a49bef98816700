//! The cost of an instance: creating it, its first call, and dropping it.
//!
//! `cargo bench --workspace --bench instantiation`

mod handlers;

use bytes::Bytes;
use connection::handler::Event;
use criterion::{Criterion, criterion_group, criterion_main};
use echo_host_engine::Isolation;
use handlers::{load, runtime, talk};
use keyvalue::Store;
use std::time::Instant;

fn instantiation(criterion: &mut Criterion) {
    let runtime = runtime();
    let message = Bytes::from_static(&[b'x'; 64]);
    for (name, handler) in load(&runtime) {
        let mut group = criterion.benchmark_group(format!("instantiation/{name}"));
        let serving = handler.serving(Isolation::Connection, &Store::scratch());
        // Each connection has its instance, which goes with it.
        group.bench_function("open", |bencher| {
            bencher.to_async(&runtime).iter(async || {
                let mut talk = talk(&serving);
                talk.tell(Event::Open(None)).await;
                talk.end().await;
            });
        });
        group.bench_function("open and one message of 64 bytes", |bencher| {
            bencher.to_async(&runtime).iter(async || {
                let mut talk = talk(&serving);
                talk.tell(Event::Open(None)).await;
                talk.tell(Event::Message(message.clone())).await;
                talk.end().await;
            });
        });
        let serving = handler.serving(Isolation::Message, &Store::scratch());
        // One connection, each of whose messages has an instance of its own.
        group.bench_function("isolation message, 64 bytes", |bencher| {
            bencher.to_async(&runtime).iter_custom(async |count| {
                let mut talk = talk(&serving);
                talk.tell(Event::Open(None)).await;
                let begin = Instant::now();
                for _ in 0..count {
                    talk.tell(Event::Message(message.clone())).await;
                }
                let elapsed = begin.elapsed();
                talk.end().await;
                elapsed
            });
        });
        group.finish();
    }
}

criterion_group!(benches, instantiation);
criterion_main!(benches);
