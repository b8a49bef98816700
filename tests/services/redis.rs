//! A real Redis.

use crate::fixture::{Process, free_port, run, tool};
use std::path::Path;

/// A redis-server that stores everything in memory. It ends on drop.
pub struct Redis {
    pub port: u16,
    /// Held for its drop.
    _server: Process,
}

impl Redis {
    pub fn start() -> Self {
        Redis::start_at(free_port())
    }

    pub fn start_at(port: u16) -> Self {
        Redis::serve(port, &["--port", &port.to_string()])
    }

    /// A server that is reached by TLS only, with a certificate in this directory.
    pub fn start_with_tls(folder: &Path) -> Self {
        let port = free_port();
        let [cert, key] = ["cert.pem", "key.pem"].map(|name| folder.join(name));
        let [cert, key] = [&cert, &key].map(|path| path.to_str().unwrap());
        let tls_port = port.to_string();
        let args = [
            ["--port", "0"],
            ["--tls-port", &tls_port],
            ["--tls-auth-clients", "no"],
            ["--tls-cert-file", cert],
            ["--tls-key-file", key],
        ];
        Redis::serve(port, args.as_flattened())
    }

    fn serve(port: u16, args: &[&str]) -> Self {
        let mut command = tool("redis-server");
        command.args(args).args(["--bind", "127.0.0.1"]);
        command.args(["--save", "", "--appendonly", "no", "--daemonize", "no"]);
        Redis {
            port,
            _server: Process::start_listening(&mut command, port),
        }
    }

    /// The value of `--keyvalue`.
    pub fn uri(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The output of redis-cli for a command.
    pub fn cli(&self, args: &[&str]) -> String {
        let port = self.port.to_string();
        let mut command = tool("redis-cli");
        let finished = run(command.args(["-p", &port]).args(args), b"");
        assert_eq!(finished.code, Some(0), "{finished:?}");
        finished.stdout.trim_end().to_owned()
    }
}
