//! Two users of a chat with a room of their own, who receive everything the other one says.

use super::Regular;
use super::talk::Talk;
use anyhow::{Context, Result, bail, ensure};
use fastrand::Rng;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Maximum number of lines that the two send.
const LINES: usize = 40;
/// Maximum number of other users' lines in the lobby before a reply.
const PATIENCE: usize = 10_000;
/// The longest pause between two lines, in milliseconds.
const PAUSE_MS: u64 = 100;

pub async fn chat(who: &Regular, visit: u64, mut rng: Rng) -> Result<()> {
    let room = format!("r{}x{}", who.number, visit % 1_000_000);
    let mut first = Talk::begin(who, "chat", &mut rng).await?;
    let first_name = join(&mut first, &room).await?;
    let mut second = Talk::begin(who, "chat", &mut rng).await?;
    let second_name = join(&mut second, &room).await?;
    expect(&mut first, &format!("* {second_name} joined\n")).await?;
    for number in 0..rng.usize(1..=LINES) {
        let begun = Instant::now();
        let (from, to, name) = if rng.bool() {
            (&mut first, &mut second, &first_name)
        } else {
            (&mut second, &mut first, &second_name)
        };
        from.send(format!("line {number}\n").as_bytes()).await?;
        expect(to, &format!("{name}: line {number}\n")).await?;
        to.note(begun);
        sleep(Duration::from_millis(rng.u64(..PAUSE_MS))).await;
    }
    second.finish().await?;
    expect(&mut first, &format!("* {second_name} left\n")).await?;
    first.finish().await
}

/// Joins a room, and returns the user's name. In the lobby, lines of others may come first.
async fn join(talk: &mut Talk<'_>, room: &str) -> Result<String> {
    let welcome = talk.line().await?;
    let name = welcome
        .strip_prefix("* Welcome, ")
        .and_then(|rest| rest.split_once('.'))
        .map(|(name, _)| name.to_owned())
        .with_context(|| format!("the welcome is {welcome:?}"))?;
    talk.send(format!("/join {room}\n").as_bytes()).await?;
    let answer = format!("* in {room}: ");
    for _ in 0..PATIENCE {
        if talk.line().await?.starts_with(&answer) {
            return Ok(name);
        }
    }
    bail!("{name} did not come to {room}")
}

async fn expect(talk: &mut Talk<'_>, line: &str) -> Result<()> {
    let heard = talk.line().await?;
    ensure!(heard == line, "heard {heard:?} instead of {line:?}");
    Ok(())
}
