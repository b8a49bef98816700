//! Clients of responders, and of the counter.

use super::Regular;
use super::talk::Talk;
use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use std::iter::repeat_with;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Maximum messages of a session, and of one batch.
const MESSAGES: usize = 60;
const TOGETHER: usize = 5;
/// The longest message, and the longest line, in bytes.
const LONGEST: usize = 16 << 10;
const LONGEST_LINE: usize = 900;
/// The longest pause between two messages, in milliseconds.
const PAUSE_MS: u64 = 200;

/// Any bytes come back unchanged.
pub async fn echo(who: &Regular, mut rng: Rng) -> Result<()> {
    let mut talk = Talk::begin(who, "echo", &mut rng).await?;
    for _ in 0..rng.usize(1..=MESSAGES) {
        let length = rng.usize(1..=LONGEST);
        let message: Vec<u8> = repeat_with(|| rng.u8(..)).take(length).collect();
        talk.exchange(&message, &message).await?;
        pause(&mut rng).await;
    }
    leave(talk, &mut rng).await
}

/// Lines come back reversed.
pub async fn reverse(who: &Regular, rng: Rng) -> Result<()> {
    let reversed = |line: &str| line.chars().rev().chain(['\n']).collect();
    lines(who, "reverse", rng, reversed).await
}

/// Lines come back in upper case, without their endings: this handler receives messages without
/// them.
pub async fn upper(who: &Regular, rng: Rng) -> Result<()> {
    lines(who, "upper", rng, str::to_ascii_uppercase).await
}

/// Lines are answered in order, some sent ahead of the replies.
async fn lines(
    who: &Regular,
    service: &str,
    mut rng: Rng,
    answer: impl Fn(&str) -> String,
) -> Result<()> {
    let mut talk = Talk::begin(who, service, &mut rng).await?;
    for number in 0..rng.usize(1..=MESSAGES) {
        let (mut sent, mut expected) = (String::new(), String::new());
        for _ in 0..rng.usize(1..=TOGETHER) {
            let line = line(number, &mut rng);
            sent += &format!("{line}\n");
            expected += &answer(&line);
        }
        talk.exchange(sent.as_bytes(), expected.as_bytes()).await?;
        pause(&mut rng).await;
    }
    leave(talk, &mut rng).await
}

/// Lines come back signed with a version, and counted from the first to the last across all
/// versions.
pub async fn counter(who: &Regular, mut rng: Rng) -> Result<()> {
    let mut talk = Talk::begin(who, "counter", &mut rng).await?;
    for number in 1..=rng.usize(1..=MESSAGES) {
        let line = line(number, &mut rng);
        let begun = Instant::now();
        talk.send(format!("{line}\n").as_bytes()).await?;
        let reply = talk.line().await?;
        let (version, counted) = reply.split_once(' ').context("a reply has a version")?;
        ensure!(
            version.starts_with('v') && counted == format!("{number} {line}\n"),
            "the reply to number {number}, {line:?}, is {reply:?}"
        );
        talk.note(begun);
        pause(&mut rng).await;
    }
    leave(talk, &mut rng).await
}

/// Text that no other message has.
fn line(number: usize, rng: &mut Rng) -> String {
    let length = rng.usize(..LONGEST_LINE);
    let text: String = repeat_with(|| rng.alphanumeric()).take(length).collect();
    format!("{number} {text}")
}

async fn pause(rng: &mut Rng) {
    // Some continue at once.
    if rng.bool() {
        sleep(Duration::from_millis(rng.u64(..PAUSE_MS))).await;
    }
}

/// Most wait for the end, some just close.
async fn leave(talk: Talk<'_>, rng: &mut Rng) -> Result<()> {
    match rng.u8(..4) {
        0 => Ok(()),
        _ => talk.finish().await,
    }
}
