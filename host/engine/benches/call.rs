//! The cost of one message on the connection's side: telling the session, collecting its reply.
//! Without a socket and framing; the instance already exists.
//!
//! `cargo bench --workspace --bench call`

mod handlers;

use bytes::Bytes;
use connection::handler::Event;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use echo_host_engine::Isolation;
use handlers::{load, runtime, talk};
use keyvalue::Store;
use std::time::Instant;

const MESSAGE_BYTES: [usize; 3] = [64, 1 << 10, 64 << 10];

fn call(criterion: &mut Criterion) {
    let runtime = runtime();
    for (name, handler) in load(&runtime) {
        for isolation in [Isolation::Connection, Isolation::Shared] {
            let mut group = criterion.benchmark_group(format!("call/{name}/{isolation}"));
            let serving = handler.serving(isolation, &Store::scratch());
            for length in MESSAGE_BYTES {
                let message = Bytes::from(vec![b'x'; length]);
                group.throughput(Throughput::Bytes(length as u64));
                group.bench_function(BenchmarkId::from_parameter(length), |bencher| {
                    bencher.to_async(&runtime).iter_custom(async |count| {
                        let mut talk = talk(&serving);
                        talk.tell(Event::Open(None)).await;
                        let begin = Instant::now();
                        for _ in 0..count {
                            let replied = talk.tell(Event::Message(message.clone())).await;
                            assert_eq!(replied, length);
                        }
                        let elapsed = begin.elapsed();
                        talk.end().await;
                        elapsed
                    });
                });
            }
            group.finish();
        }
    }
}

criterion_group!(benches, call);
criterion_main!(benches);
