//! Which message a datagram answers.

use super::message::Messages;
use super::record::Sent;
use std::collections::VecDeque;

/// Messages that were given up are known for so long, counted in messages.
const REMEMBERED: usize = 1000;

/// Which message a datagram answers: datagrams may come in another order than they were sent, late, or not at all.
#[derive(Default)]
pub struct GivenUp(VecDeque<u64>);

/// What a datagram is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The echo of the message at this place among the unanswered.
    To(usize),
    /// The echo of one that was given up, and counted.
    Late,
    /// No echo of any.
    Wrong,
}

impl GivenUp {
    /// A message has waited too long.
    pub fn add(&mut self, sent: &Sent) {
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(sent.sequence);
    }

    /// What a datagram is that a connection has received.
    pub fn tell(
        &self,
        messages: &mut Messages,
        connection: u32,
        unanswered: &VecDeque<Sent>,
        received: &[u8],
    ) -> Answer {
        let mut is_echo = |sequence| messages.make(connection, sequence, 1) == received;
        // Nearly always it is the first.
        let place = unanswered.iter().position(|sent| is_echo(sent.sequence));
        match place {
            Some(place) => Answer::To(place),
            None if self.0.iter().any(|sequence| is_echo(*sequence)) => Answer::Late,
            None => Answer::Wrong,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Shape;
    use super::*;
    use std::time::Instant;

    #[test]
    fn the_order_does_not_matter_and_every_byte_does() {
        let at = Instant::now();
        let sent = |sequence| Sent {
            sequence,
            due: at,
            at,
        };
        let mut messages = Messages::new(Shape::Raw, 100, 10);
        let mut given_up = GivenUp::default();
        given_up.add(&sent(4));
        let unanswered: VecDeque<_> = [5, 6, 8].map(sent).into();
        for (sequence, expected) in [
            (4, Answer::Late),
            (5, Answer::To(0)),
            (7, Answer::Wrong),
            (8, Answer::To(2)),
        ] {
            let mut datagram = messages.make(1, sequence, 1).to_vec();
            let mut tell = |datagram: &[u8]| given_up.tell(&mut messages, 1, &unanswered, datagram);
            assert_eq!(tell(&datagram), expected);
            assert_eq!(tell(&datagram[1..]), Answer::Wrong);
            datagram[99] ^= 1;
            assert_eq!(tell(&datagram), Answer::Wrong);
        }
    }

    #[test]
    fn not_everything_is_remembered_for_ever() {
        let at = Instant::now();
        let mut given_up = GivenUp::default();
        for sequence in 0..5000 {
            given_up.add(&Sent {
                sequence,
                due: at,
                at,
            });
        }
        assert_eq!(given_up.0, (4000..5000).collect::<Vec<_>>());
    }
}
