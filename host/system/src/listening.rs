//! Which process listens on a port, as far as this one may see it in /proc (proc(5)).

use std::fs;
use std::path::Path;

/// The state of a listening TCP socket, and that of a UDP socket without a peer, in /proc/net.
const TCP_LISTEN: &str = "0A";
const UDP_UNCONNECTED: &str = "07";

/// A process that listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its id.
    pub process: u32,
    /// The name of its program, escaped.
    pub program: String,
}

/// The process that listens on this port, on any address.
pub fn holder(port: u16, is_udp: bool) -> Option<Holder> {
    let (tables, state) = if is_udp {
        (["udp", "udp6"], UDP_UNCONNECTED)
    } else {
        (["tcp", "tcp6"], TCP_LISTEN)
    };
    let sockets: Vec<_> = tables
        .iter()
        .filter_map(|table| fs::read_to_string(format!("/proc/net/{table}")).ok())
        .flat_map(|table| sockets_on(&table, port, state))
        .collect();
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let mut processes = processes.filter_map(|it| it.file_name().to_str()?.parse().ok());
    let process: u32 = processes.find(|process| holds(*process, &sockets))?;
    let program = fs::read(format!("/proc/{process}/comm")).ok()?;
    // A program chooses its name.
    let program = program.trim_ascii().escape_ascii().to_string();
    Some(Holder { process, program })
}

/// The names of these sockets among a process's descriptors.
fn sockets_on(table: &str, port: u16, state: &str) -> Vec<String> {
    let port = format!(":{port:04X}");
    let rows = table
        .lines()
        .skip(1)
        .map(|row| row.split_whitespace().collect());
    let rows = rows.filter(|row: &Vec<&str>| {
        row.get(1).is_some_and(|local| local.ends_with(&port)) && row.get(3) == Some(&state)
    });
    rows.filter_map(|row| Some(format!("socket:[{}]", row.get(9)?)))
        .collect()
}

fn holds(process: u32, sockets: &[String]) -> bool {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{process}/fd")) else {
        return false;
    };
    descriptors.flatten().any(|it| {
        let target = fs::read_link(it.path()).unwrap_or_default();
        sockets.iter().any(|socket| target == Path::new(socket))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, UdpSocket};

    #[test]
    fn this_process_is_found() {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = UdpSocket::bind("[::1]:0").unwrap();
        for (port, is_udp) in [
            (tcp.local_addr().unwrap().port(), false),
            (udp.local_addr().unwrap().port(), true),
        ] {
            let found = holder(port, is_udp).unwrap();
            assert_eq!(found.process, std::process::id());
            assert!(!found.program.is_empty());
        }
        let port = tcp.local_addr().unwrap().port();
        drop(tcp);
        assert_eq!(holder(port, false), None);
    }
}
