use super::*;
use crate::address::NetworkAddress;
use socket2::{Domain, Socket, Type};
use std::net::{TcpListener as StdTcpListener, TcpStream as StdTcpStream, UdpSocket};

#[tokio::test]
async fn a_socket_is_accepted_from_by_whoever_has_it() {
    let first = Listener::bind(
        &"tcp://127.0.0.1:0".parse().unwrap(),
        UnixAccess::default(),
        None,
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
    let accepted = second.accept().await.unwrap();
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
        assert!(matches!(Listener::adopt(unfit), Err(AdoptError::Unfit)));
    }
    assert!(matches!(
        Listener::adopt(file.into()),
        Err(AdoptError::Io(_))
    ));
}
