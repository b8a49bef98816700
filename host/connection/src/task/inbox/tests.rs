use super::*;

fn all(inbox: &Inbox) -> Vec<BytesMut> {
    let mut datagrams = Datagrams::default();
    inbox.take(&mut datagrams);
    std::iter::from_fn(|| datagrams.pop()).collect()
}

#[test]
fn datagrams_come_out_whole_and_in_order() {
    let inbox = Inbox::default();
    for round in 0..3_u8 {
        let sent: Vec<_> = [3, 0, 1, 0].map(|length| vec![round; length]).into();
        for datagram in &sent {
            inbox.put(datagram).unwrap();
        }
        assert_eq!(all(&inbox), sent);
        assert!(all(&inbox).is_empty());
    }
}

#[test]
fn the_inbox_is_limited_in_number_and_bytes() {
    let inbox = Inbox::default();
    for _ in 0..MAX_WAITING_DATAGRAMS {
        inbox.put(b"").unwrap();
    }
    assert_eq!(inbox.put(b"").unwrap_err(), NotTaken::Full);
    assert_eq!(all(&inbox).len(), MAX_WAITING_DATAGRAMS);
    inbox.put(&vec![0; MAX_WAITING_DATAGRAM_BYTES - 1]).unwrap();
    assert_eq!(inbox.put(b"ab").unwrap_err(), NotTaken::Full);
    inbox.put(b"a").unwrap();
}

#[test]
fn a_closed_inbox_still_returns_waiting_datagrams() {
    let inbox = Inbox::default();
    inbox.put(b"last").unwrap();
    assert!(!inbox.close_if_empty());
    inbox.close();
    assert_eq!(inbox.put(b"late").unwrap_err(), NotTaken::Closed);
    let mut datagrams = Datagrams::default();
    assert!(inbox.take(&mut datagrams));
    assert_eq!(datagrams.pop().unwrap(), "last");
    assert!(!inbox.take(&mut datagrams));
    let empty = Inbox::default();
    assert!(empty.close_if_empty());
    assert!(empty.put(b"").is_err());
}

#[test]
fn a_closed_inbox_is_not_empty_while_datagrams_wait() {
    let inbox = Inbox::default();
    inbox.put(b"one").unwrap();
    assert!(!inbox.close_if_empty());
    inbox.close();
    assert!(!inbox.close_if_empty());
    inbox.take(&mut Datagrams::default());
    assert!(inbox.close_if_empty());
}
