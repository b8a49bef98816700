//! A real Redis.

use crate::fixture::{DEADLINE, Process, run};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Instant;

/// A redis-server that keeps everything in memory. It ends when it is dropped.
pub struct Redis {
    pub port: u16,
    /// Held for its end.
    _server: Process,
}

impl Redis {
    pub fn start() -> Self {
        // The system's choice, free again a moment before Redis takes it.
        let chosen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
        Redis::start_at(chosen.unwrap().port())
    }

    pub fn start_at(port: u16) -> Self {
        Redis::serve(port, &["--port", &port.to_string()])
    }

    /// One that is reached by TLS only, with a certificate in this folder.
    pub fn start_with_tls(folder: &Path) -> Self {
        let chosen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
        let port = chosen.unwrap().port();
        let (tls_port, file) = (port.to_string(), |name| folder.join(name));
        let (cert, key) = (file("cert.pem"), file("key.pem"));
        let [cert, key] = [&cert, &key].map(|path| path.to_str().unwrap());
        let files = ["--tls-cert-file", cert, "--tls-key-file", key];
        let plain = [
            "--port",
            "0",
            "--tls-port",
            &tls_port,
            "--tls-auth-clients",
            "no",
        ];
        Redis::serve(port, &[&plain[..], &files].concat())
    }

    fn serve(port: u16, args: &[&str]) -> Self {
        let mut command = Command::new("redis-server");
        command.args(args).args(["--bind", "127.0.0.1"]);
        command.args(["--save", "", "--appendonly", "no", "--daemonize", "no"]);
        let server = Process::start(&mut command);
        let deadline = Instant::now() + DEADLINE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "{}", server.stdout.text());
            thread::yield_now();
        }
        Redis {
            port,
            _server: server,
        }
    }

    /// What `--keyvalue` is told.
    pub fn uri(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// What redis-cli prints for a command.
    pub fn cli(&self, args: &[&str]) -> String {
        let port = self.port.to_string();
        let mut command = Command::new("redis-cli");
        let finished = run(command.args(["-p", &port]).args(args), b"");
        assert_eq!(finished.code, Some(0), "{finished:?}");
        finished.stdout.trim_end().to_owned()
    }
}
