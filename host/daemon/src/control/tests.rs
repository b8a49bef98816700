//! Tests of both sides with each other, and of each with a peer that breaks the protocol.

use super::*;
use connection::handle::{ConnectionHandle, Peer, Seen, Watcher};
use connection::limits::{
    CONTROL_REQUEST_TIME, MAX_CONTROL_DETAIL_BYTES, MAX_PROFILE_TIME, MAX_TAPS,
};
use server::service::Tap;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::task::{JoinHandle, spawn_blocking};

/// A host for tests.
struct Puppet {
    listener: TcpListener,
    retired: AtomicUsize,
    tap: Arc<Tap>,
    /// As many as there are references besides this one.
    taps: Arc<()>,
    /// The same of profiles.
    profiles: Arc<()>,
}

fn connection(id: u64, measured: Option<Duration>) -> ConnectionStatus {
    ConnectionStatus {
        id,
        service: "main".into(),
        transport: "tcp".into(),
        peer: "192.0.2.1:5".into(),
        listener: "tcp://127.0.0.1:1".into(),
        generation: 1,
        age_milliseconds: 2,
        idle_seconds: 3,
        received_bytes: 4,
        sent_bytes: 5,
        messages: None,
        unsent_bytes: Some(6),
        memory_bytes: None,
        call_microseconds: measured.map(|time| time.as_micros() as u64),
    }
}

fn puppet() -> Arc<Puppet> {
    Arc::new(Puppet {
        listener: TcpListener::bind("127.0.0.1:0").unwrap(),
        retired: AtomicUsize::new(0),
        tap: Arc::default(),
        taps: Arc::default(),
        profiles: Arc::default(),
    })
}

impl Operator for Puppet {
    fn status(&self) -> Status {
        Status {
            pid: 4711,
            version: "0.0.1".into(),
            commit: None,
            uptime_seconds: 1,
            resident_bytes: None,
            started_unix_seconds: 1,
            services: Vec::new(),
            listeners: Vec::new(),
            generations: Vec::new(),
            versions: Vec::new(),
            connections: ConnectionCounts::default(),
            workers: Vec::new(),
            slots: SlotCounts::default(),
            wipe: "whole".to_owned(),
            received_bytes: u64::MAX,
            sent_bytes: 0,
            messages: 0,
            turned_away: 0,
            failed_calls: 0,
            limits_reached: [("max-message".to_owned(), u64::MAX)].into(),
            dropped_datagrams: [].into(),
            refused_swaps: 0,
            last_refusal: None,
            refused_reloads: 0,
            last_refused_reload: None,
            last_warnings: Vec::new(),
        }
    }

    async fn swap(
        &self,
        _service: Option<String>,
        handler: Option<WantedFile>,
        _allow_imports: Vec<String>,
    ) -> Result<Swapped, Refused> {
        match handler {
            Some(wanted) => Ok(Swapped {
                generation: wanted.opened.len() as u64 + 2,
                replaced: 1,
                handler: wanted.path.display().to_string(),
                sha256: "00".repeat(32),
                connections: None,
            }),
            None => Err(Refused {
                reason: "the file is as it was".into(),
                detail: Some("ä".repeat(MAX_CONTROL_DETAIL_BYTES)),
                mistakes: None,
            }),
        }
    }

    async fn roll_back(&self, _: Option<String>, _: Option<u64>) -> Result<Swapped, Refused> {
        std::future::pending().await
    }

    async fn reload(&self) -> Result<Reloaded, Refused> {
        Ok(Reloaded {
            changes: vec!["everything".into()],
        })
    }

    async fn connections(
        &self,
        wanted: Wanted,
        measure: Option<Duration>,
    ) -> Result<Slices, Refused> {
        let slice = move |from: u64| {
            let ids = from..from + wanted.connection.unwrap_or(1);
            ids.map(|id| connection(id, measure)).collect()
        };
        Ok(Box::new((0..3).map(move |at| slice(at * 100))))
    }

    fn disconnect(&self, wanted: Wanted, at_once: bool) -> Result<u64, Refused> {
        assert!(at_once);
        Ok(wanted.connection.unwrap_or_default())
    }

    fn profile(&self, service: Option<String>) -> Result<Profiling, Refused> {
        let open = self.profiles.clone();
        let mut pieces = vec![ProfilePiece {
            functions: vec!["f".into()],
            stacks: vec![(None, 0)],
            samples: Vec::new(),
        }];
        Ok(Profiling {
            services: service.into_iter().collect(),
            take: Box::new(move || {
                let _ = &open;
                (std::mem::take(&mut pieces), 7)
            }),
        })
    }

    fn tap(&self, wanted: Wanted) -> Result<Tapping, Refused> {
        Ok(Tapping {
            tap: self.tap.clone(),
            connections: wanted.connection.unwrap_or_default(),
            open: Box::new(self.taps.clone()),
        })
    }

    fn listeners(&self) -> io::Result<Vec<(String, OwnedFd)>> {
        let socket = self.listener.try_clone()?;
        Ok(vec![("tcp://127.0.0.1:1".into(), socket.into())])
    }

    fn retire(&self) {
        self.retired.fetch_add(1, Ordering::Relaxed);
    }

    fn leave(&self) {}
}

/// A path for a socket, removed after the test.
fn socket_path() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("host.sock");
    (folder, path)
}

fn host(path: &Path, operator: &Arc<Puppet>) -> JoinHandle<()> {
    let socket = ControlSocket::bind(path).unwrap();
    let operator = operator.clone();
    tokio::spawn(async { match socket.serve(operator).await {} })
}

/// Runs the blocking client on its own thread.
async fn ask(path: &Path, what: Request) -> Result<Reply, ControlError> {
    let path = path.to_owned();
    spawn_blocking(move || request(&path, &what, &[]))
        .await
        .unwrap()
}

/// Sends bytes as they are, and returns the line that comes back.
async fn raw(path: &Path, bytes: impl Into<Vec<u8>>) -> String {
    let path = path.to_owned();
    let bytes = bytes.into();
    spawn_blocking(move || {
        let mut stream = UnixStream::connect(path).unwrap();
        // A host may close before it has read everything.
        let _ = stream.write_all(&bytes);
        let mut reply = String::new();
        // A reset follows the line if the host has not read everything.
        BufReader::new(stream).read_line(&mut reply).unwrap();
        reply
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn each_request_has_its_reply() {
    let (_folder, path) = socket_path();
    let puppet = puppet();
    host(&path, &puppet);
    let status = ask(&path, Request::Status).await.unwrap();
    assert_eq!(status, Reply::Status(puppet.status().into()));
    let handler = Some(PathBuf::from("/srv/ä \"b\".wasm"));
    let swap = |handler| Request::Swap {
        service: None,
        handler,
        allow_imports: Vec::new(),
    };
    match ask(&path, swap(handler)).await.unwrap() {
        Reply::Swapped(swapped) => assert_eq!(swapped.handler, "/srv/ä \"b\".wasm"),
        other => panic!("{other:?}"),
    }
    match ask(&path, swap(None)).await.unwrap() {
        Reply::Refused(Refused {
            detail: Some(detail),
            ..
        }) => assert!(detail.ends_with("ä\n… (cut)")),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_swap_passes_its_files_and_no_more() {
    let (folder, path) = socket_path();
    host(&path, &puppet());
    for (passed, received) in [(0, 0), (1, 1), (2, 2), (9, 2)] {
        let opened = || OwnedFd::from(fs::File::open(folder.path()).unwrap());
        let opened: Vec<_> = (0..passed).map(|_| opened()).collect();
        let swap = Request::Swap {
            service: None,
            handler: Some("/a".into()),
            allow_imports: Vec::new(),
        };
        let path = path.clone();
        let asked = spawn_blocking(move || request(&path, &swap, &opened));
        match asked.await.unwrap().unwrap() {
            Reply::Swapped(swapped) => assert_eq!(swapped.generation, received + 2),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_malformed_request_gets_an_error() {
    let (_folder, path) = socket_path();
    host(&path, &puppet());
    for (sent, reason) in [
        ("hello\n", "expected one line of JSON"),
        (
            "{\"version\":2,\"command\":\"dance\"}\n",
            "the request has version 2",
        ),
        (
            "{\"version\":1,\"command\":\"dance\"}\n",
            "unknown command `dance`",
        ),
        (
            "{\"version\":1,\"command\":\"dance\\n\"}\n",
            "unknown command `dance `",
        ),
        (
            "{\"version\":1,\"command\":\"status\",\"force\":true}\n",
            "unknown field `force`",
        ),
        (
            "{\"version\":1,\"command\":\"status\",\"for\\nce\":true}\n",
            "unknown field `for ce`",
        ),
        (
            "{\"version\":1,\"command\":\"status\",\"handler\":\"/a\"}\n",
            "only swap accepts",
        ),
        (
            "{\"version\":1,\"command\":\"swap\",\"handler\":\"a\"}\n",
            "must be absolute",
        ),
        (
            "{\"version\":1,\"command\":\"status\",\"peer\":\"::1\"}\n",
            "only connections, disconnect and tap accept a connection and a peer",
        ),
        (
            "{\"version\":1,\"command\":\"tap\",\"at-once\":true}\n",
            "only disconnect accepts at-once",
        ),
        (
            "{\"version\":1,\"command\":\"tap\",\"measure-milliseconds\":1}\n",
            "only connections accepts a time to measure",
        ),
        (
            "{\"version\":1,\"command\":\"disconnect\"}\n",
            "disconnect needs a connection, a peer or a service",
        ),
        (
            "{\"version\":1,\"command\":\"connections\",\"measure-milliseconds\":60001}\n",
            "measuring may take at most 60 s",
        ),
        (
            "{\"version\":1,\"command\":\"retire\"}\n",
            "retire must follow take-over",
        ),
    ] {
        let reply = raw(&path, sent).await;
        assert!(reply.starts_with("{\"version\":1,\"error\":\""), "{reply}");
        assert!(reply.contains(reason), "{reply}");
    }
    let reply = raw(&path, "x".repeat(1 << 20)).await;
    assert!(reply.contains("longer than 65536 bytes"), "{reply}");
    match ask(&path, Request::Retire).await {
        Err(ControlError::Declined { reason, .. }) => {
            assert!(reason.contains("retire must follow"))
        }
        other => panic!("{other:?}"),
    }
}

/// The replies to a request that has several, and what follows the first ones.
async fn replies(path: &Path, what: Request, count: usize) -> (Vec<Reply>, Replies) {
    let path = path.to_owned();
    let asked = spawn_blocking(move || {
        let patience = Duration::from_secs(60);
        let mut replies = Replies::to(&path, &what, patience).unwrap();
        let first = (0..count).map(|_| replies.next(patience).unwrap());
        (first.collect(), replies)
    });
    asked.await.unwrap()
}

#[tokio::test]
async fn connections_come_in_lines_and_an_end() {
    let (_folder, path) = socket_path();
    host(&path, &puppet());
    let measure = Some(Duration::from_millis(7));
    let wanted = Wanted {
        connection: Some(2),
        ..Wanted::default()
    };
    let (lines, _) = replies(&path, Request::Connections { wanted, measure }, 4).await;
    let slice = |from| {
        Reply::Connections(vec![
            connection(from, measure),
            connection(from + 1, measure),
        ])
    };
    let end = Reply::End(EndOfList { connections: 6 });
    assert_eq!(lines, [slice(0), slice(100), slice(200), end]);
    let wanted = Wanted {
        connection: Some(9),
        ..Wanted::default()
    };
    let at_once = true;
    let ended = ask(&path, Request::Disconnect { wanted, at_once }).await;
    assert_eq!(ended.unwrap(), Reply::Disconnected { connections: 9 });
}

#[tokio::test]
async fn a_profile_has_a_time_and_nothing_else_has() {
    let (_folder, path) = socket_path();
    host(&path, &puppet());
    for (sent, reason) in [
        (
            "{\"version\":1,\"command\":\"tap\",\"duration-milliseconds\":1}\n",
            "only profile accepts a duration",
        ),
        (
            "{\"version\":1,\"command\":\"profile\"}\n",
            "profile needs a duration",
        ),
        (
            "{\"version\":1,\"command\":\"profile\",\"duration-milliseconds\":300001}\n",
            "a profile may take at most 300 s",
        ),
    ] {
        let reply = raw(&path, sent).await;
        assert!(reply.starts_with("{\"version\":1,\"error\":\""), "{reply}");
        assert!(reply.contains(reason), "{reply}");
    }
}

#[tokio::test]
async fn a_profile_ends_with_its_time_or_its_client() {
    let (_folder, path) = socket_path();
    let puppet = puppet();
    host(&path, &puppet);
    let profile = |duration| Request::Profile {
        service: Some("main".into()),
        duration,
    };
    let (all, _) = replies(&path, profile(Duration::from_millis(1)), 3).await;
    let services = vec!["main".into()];
    assert_eq!(all[0], Reply::Profiling { services });
    assert!(matches!(all[1], Reply::Profiled(_)), "{all:?}");
    let end = EndOfProfile { dropped: 7 };
    assert_eq!(all[2], Reply::ProfileEnd(end));
    let (_, left) = replies(&path, profile(MAX_PROFILE_TIME), 1).await;
    drop(left);
    while Arc::strong_count(&puppet.profiles) > 1 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_tap_is_open_until_its_client_leaves_and_there_are_only_so_many() {
    let (_folder, path) = socket_path();
    let puppet = puppet();
    host(&path, &puppet);
    let mut open = Vec::new();
    for _ in 0..MAX_TAPS {
        let (first, tap) = replies(&path, Request::Tap(Wanted::default()), 1).await;
        assert_eq!(first, [Reply::Tapping { connections: 0 }]);
        open.push(tap);
    }
    match ask(&path, Request::Tap(Wanted::default())).await {
        Err(ControlError::Declined { reason, .. }) => {
            assert!(reason.contains("taps are open already"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(Arc::strong_count(&puppet.taps), MAX_TAPS + 1);
    let mut last = open.pop().unwrap();
    drop(open);
    while Arc::strong_count(&puppet.taps) > 2 {
        tokio::task::yield_now().await;
    }
    let of = ConnectionHandle::new(7, Peer::unconnected(), 0, tracing::Span::none());
    puppet.tap.see(&of, Seen::FromClient(b"\0\xff"));
    let line = spawn_blocking(move || last.wait().unwrap()).await.unwrap();
    let Some(Reply::Tapped(lines)) = line else {
        panic!("{line:?}")
    };
    assert_eq!(lines[0].connection, 7);
    assert_eq!(lines[0].what, TapWhat::FromClient((&b"\0\xff"[..]).into()));
    let json = serde_json::to_value(&lines[0].what).unwrap();
    assert_eq!(json, serde_json::json!({ "from-client": "AP8=" }));
}

#[tokio::test]
async fn silent_clients_and_long_swaps_do_not_block_others() {
    let (_folder, path) = socket_path();
    host(&path, &puppet());
    let mut rolling = UnixStream::connect(&path).unwrap();
    rolling
        .write_all(b"{\"version\":1,\"command\":\"roll-back\"}\n")
        .unwrap();
    let begin = Instant::now();
    let silent = path.clone();
    let silent = spawn_blocking(move || {
        let mut stream = UnixStream::connect(silent).unwrap();
        stream.write_all(b"{\"version\":1").unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        reply
    });
    for _ in 0..20 {
        ask(&path, Request::Status).await.unwrap();
    }
    assert!(!silent.is_finished());
    let reply = silent.await.unwrap();
    assert!(reply.contains("no request came within 5 s"), "{reply}");
    assert!(begin.elapsed() >= CONTROL_REQUEST_TIME);
}

#[tokio::test]
async fn newer_silent_and_gone_hosts_have_different_errors() {
    let (_folder, path) = socket_path();
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        for answer in [
            "{\"version\":2,\"greeting\":1}\n",
            "{\"version\":1,\"greeting\":1}\n",
            "{\"version\":1,\"status",
        ] {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 100]).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    for reason in ["the host has version 2", "bad answer", "ended before"] {
        let error = ask(&path, Request::Status).await.unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
    let nobody = ask(&path.with_extension("none"), Request::Status).await;
    assert!(matches!(nobody, Err(ControlError::Connect { .. })));
}

#[tokio::test]
async fn the_file_is_private_and_removed_with_the_socket() {
    let (folder, path) = socket_path();
    let socket = ControlSocket::bind(&path).unwrap();
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(matches!(
        ControlSocket::bind(&path),
        Err(SocketError::Taken { .. })
    ));
    drop(socket);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn only_a_stale_socket_is_replaced() {
    let (folder, path) = socket_path();
    // A stale socket of a killed process.
    drop(UnixListener::bind(&path).unwrap());
    drop(ControlSocket::bind(&path).unwrap());
    assert!(!path.exists());

    fs::write(&path, "precious").unwrap();
    assert!(matches!(
        ControlSocket::bind(&path),
        Err(SocketError::Occupied { .. })
    ));
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    let nowhere = folder.path().join("none").join("host.sock");
    assert!(matches!(
        ControlSocket::bind(&nowhere),
        Err(SocketError::Bind { .. })
    ));
    let long = folder.path().join("x".repeat(100)).join("host.sock");
    fs::create_dir(long.parent().unwrap()).unwrap();
    let error = ControlSocket::bind(&long).unwrap_err().to_string();
    assert!(error.contains("the path is too long"), "{error}");
}

#[tokio::test]
async fn a_file_that_another_has_put_there_stays() {
    let (_folder, path) = socket_path();
    let old = ControlSocket::bind(&path).unwrap();
    let new = PreparedSocket::new(&path).unwrap().replace().unwrap();
    drop(old);
    assert!(path.exists());
    drop(new);
    assert!(!path.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_successor_gets_the_sockets_and_then_the_path() {
    let (folder, path) = socket_path();
    let first = puppet();
    let running = host(&path, &first);
    let meet = async || {
        let path = path.clone();
        spawn_blocking(move || Predecessor::meet(&path))
            .await
            .unwrap()
    };
    // A successor that fails before it is ready changes nothing.
    drop(meet().await.unwrap());
    ask(&path, Request::Status).await.unwrap();
    assert_eq!(first.retired.load(Ordering::Relaxed), 0);

    let late = meet().await.unwrap();
    let mut successor = meet().await.unwrap();
    let (uri, socket) = successor.take_sockets().remove(0);
    assert_eq!(uri, "tcp://127.0.0.1:1");
    let _client = TcpStream::connect(first.listener.local_addr().unwrap()).unwrap();
    TcpListener::from(socket).accept().unwrap();

    let socket = successor.retire().unwrap().unwrap();
    assert_eq!(first.retired.load(Ordering::Relaxed), 1);
    let error = late.retire().unwrap_err().to_string();
    assert!(error.contains("already taken over the sockets"), "{error}");
    running.abort();
    let _ = running.await;
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let second = puppet();
    tokio::spawn(async { match socket.serve(second).await {} });
    ask(&path, Request::Status).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_successor_serves_when_its_predecessor_dies() {
    let (_folder, path) = socket_path();
    let running = host(&path, &puppet());
    let there = path.clone();
    let successor = spawn_blocking(move || Predecessor::meet(&there).unwrap())
        .await
        .unwrap();
    running.abort();
    let _ = running.await;
    let socket = successor.retire().unwrap();
    assert!(socket.is_some() && path.exists());
}

#[test]
fn the_page_shows_every_request() {
    let page = include_str!("../../../../docs/reference/control-protocol.md");
    let requests = page
        .split('`')
        .filter(|text| text.starts_with(r#"{"version":1,"command":"#));
    let shown: std::collections::BTreeSet<_> = requests
        .map(|line| {
            Request::decode(line.as_bytes()).unwrap();
            let members: serde_json::Value = serde_json::from_str(line).unwrap();
            members["command"].as_str().unwrap().to_owned()
        })
        .collect();
    let known = MalformedRequest::Command(String::new()).to_string();
    let (_, known) = known.split_once("expected ").unwrap();
    let known = known.split(", ").flat_map(|words| words.split(" or "));
    assert_eq!(shown, known.map(str::to_owned).collect());
}
