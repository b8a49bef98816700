//! The versions of handlers that were current, as a table.

use super::table::{age, table};
use daemon::control::{Status, VersionStatus};
use humantime::format_rfc3339_seconds;
use std::time::{Duration, SystemTime};

/// The history of all services, or that of the only one without its name.
pub fn history(status: &Status) -> String {
    let named = status.services.len() > 1;
    let head = [
        "SERVICE",
        "GENERATION",
        "SINCE",
        "FOR",
        "SHA-256",
        "HANDLER",
        "ENDED",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(status.versions.iter().map(row));
    if !named {
        for row in &mut rows {
            row.remove(0);
        }
    }
    table(&rows).trim_start().to_owned()
}

fn row(version: &VersionStatus) -> Vec<String> {
    let since = SystemTime::UNIX_EPOCH + Duration::from_secs(version.since_unix_seconds);
    let until = version.until_unix_seconds.map(Duration::from_secs);
    let lasted =
        until.map(|until| until.saturating_sub(Duration::from_secs(version.since_unix_seconds)));
    let ended = match &version.ended {
        None => "is current".to_owned(),
        Some(why) if version.kept => why.clone(),
        Some(why) => format!("{why} (no longer kept)"),
    };
    vec![
        version.service.clone(),
        version.number.to_string(),
        format_rfc3339_seconds(since).to_string(),
        lasted.map_or_else(|| "now".to_owned(), age),
        version.sha256.chars().take(12).collect(),
        version.handler.clone(),
        ended,
    ]
}

/// What the last swap of each service did with open connections, if there was one.
pub fn last_swaps(status: &Status) -> impl Iterator<Item = (&'static str, String)> {
    let named = status.services.len() > 1;
    let current = status.versions.iter().filter(|it| it.ended.is_none());
    current.filter_map(move |version| {
        let connections = version.connections.as_ref()?;
        let service = named.then(|| format!("service {}, ", version.service));
        let service = service.unwrap_or_default();
        let what = format!(
            "{service}generation {}: {}",
            version.number, connections.summary
        );
        Some(("last swap", what))
    })
}
