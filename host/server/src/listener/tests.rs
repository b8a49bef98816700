use super::*;
use address::NetworkAddress;
use socket2::{Domain, Socket, Type};
use std::fs::{self, Permissions};
use std::net::{TcpListener as StdTcpListener, TcpStream as StdTcpStream, UdpSocket};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use tempfile::TempDir;

#[tokio::test]
async fn every_owner_of_a_socket_can_accept() {
    let first = Listener::bind(
        &"tcp://127.0.0.1:0".parse().unwrap(),
        UnixAccess::default(),
        &SocketOptions::default(),
    )
    .unwrap();
    let handle = first.handle();
    let second = Listener::adopt(handle.duplicate().unwrap()).unwrap();
    assert_eq!(first.endpoint(), second.endpoint());
    drop(first);
    assert_eq!(
        handle.duplicate().unwrap_err().kind(),
        io::ErrorKind::NotConnected
    );
    let NetworkAddress { host, port } = second.endpoint().network().unwrap().clone();
    let client = StdTcpStream::connect((host, port)).unwrap();
    let accepted = second.acceptor().accept().await.unwrap();
    assert_eq!(accepted.client, Some(client.local_addr().unwrap()));
}

#[tokio::test]
async fn only_a_listening_socket_is_adopted() {
    let listener = StdTcpListener::bind("127.0.0.1:0").unwrap();
    let client = StdTcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    let connected = UdpSocket::bind("127.0.0.1:0").unwrap();
    connected.connect(datagrams.local_addr().unwrap()).unwrap();
    let unbound = Socket::new(Domain::IPV4, Type::DGRAM, None).unwrap();
    let (stream, _) = std::os::unix::net::UnixStream::pair().unwrap();
    let file = tempfile::tempfile().unwrap();
    assert!(Listener::adopt(listener.into()).is_ok());
    assert!(Listener::adopt(datagrams.into()).is_ok());
    for unfit in [
        client.into(),
        connected.into(),
        unbound.into(),
        stream.into(),
    ] {
        assert!(matches!(Listener::adopt(unfit), Err(AdoptError::Unfit(_))));
    }
    assert!(matches!(
        Listener::adopt(file.into()),
        Err(AdoptError::Io(_))
    ));
}

/// A folder that other users may write to, with a file that belongs to this user only.
struct Open {
    folder: TempDir,
    precious: PathBuf,
}

impl Open {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let precious = folder.path().join("precious");
        fs::write(&precious, "").unwrap();
        #[expect(clippy::disallowed_methods, reason = "nobody else is here yet")]
        fs::set_permissions(&precious, Permissions::from_mode(0o600)).unwrap();
        Open { folder, precious }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    fn bind(&self, access: UnixAccess) -> Result<Listener, BindError> {
        let uri = format!("unix:{}", self.socket().display());
        Listener::bind(&uri.parse().unwrap(), access, &SocketOptions::default())
    }

    /// Replaces the socket by a link to the file.
    fn swap(&self) {
        let link = self.folder.path().join("link");
        symlink(&self.precious, &link).unwrap();
        fs::rename(&link, self.socket()).unwrap();
    }

    #[track_caller]
    fn assert_untouched(&self) {
        let found = fs::metadata(&self.precious).unwrap();
        assert_eq!(found.mode() & 0o7777, 0o600);
    }
}

const FOR_ALL: UnixAccess = UnixAccess {
    mode: Some(0o666),
    owner: Owner {
        user: None,
        group: None,
    },
};

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

#[tokio::test]
async fn a_link_in_the_place_of_a_socket_is_not_followed() {
    let directory = Open::new();
    let listener = directory.bind(UnixAccess::default()).unwrap();
    listener.set_access(FOR_ALL).unwrap();
    assert_eq!(mode(&directory.socket()), 0o666);
    directory.swap();
    let stricter = UnixAccess {
        mode: Some(0o640),
        ..FOR_ALL
    };
    assert!(listener.check_access(stricter).is_err());
    listener.set_access(stricter).unwrap_err();
    directory.assert_untouched();
    // Another socket is not the same one either.
    fs::remove_file(directory.socket()).unwrap();
    let _other = std::os::unix::net::UnixListener::bind(directory.socket()).unwrap();
    let before = mode(&directory.socket());
    listener.set_access(stricter).unwrap_err();
    assert_eq!(mode(&directory.socket()), before);
}

#[tokio::test]
async fn a_socket_replaced_while_it_is_created_changes_no_other_file() {
    let directory = Open::new();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                directory.swap();
            }
        });
        for _ in 0..1000 {
            let _ = fs::remove_file(directory.socket());
            // It may fail: the other thread may be faster.
            drop(directory.bind(FOR_ALL));
        }
        done.store(true, Ordering::Relaxed);
    });
    directory.assert_untouched();
}

#[tokio::test]
async fn a_socket_gets_exactly_the_configured_mode() {
    let directory = Open::new();
    for mode_said in [0o600, 0o666, 0o777] {
        let access = UnixAccess {
            mode: Some(mode_said),
            ..FOR_ALL
        };
        let listener = directory.bind(access).unwrap();
        assert_eq!(mode(&directory.socket()), mode_said);
        drop(listener);
    }
}
