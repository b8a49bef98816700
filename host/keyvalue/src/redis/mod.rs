//! A store in Redis, or in whatever speaks its protocol: several hosts may share it.

mod uri;

pub use uri::RedisUri;

use crate::{Mark, Page, StoreError, check_sum};
use ::redis::aio::{ConnectionManager, ConnectionManagerConfig};
use ::redis::{Cmd, ErrorKind, FromRedisValue, RedisError, ServerErrorKind, cmd};
use connection::limits::{MAX_BATCH_KEYS, STORE_CONNECT_TIME, STORE_REPLY_TIME};
use tokio::sync::OnceCell;

/// What all the values have in bytes.
const LENGTHS: &str = "
    local sum = 0
    for _, key in ipairs(KEYS) do sum = sum + redis.call('STRLEN', key) end
    return sum";
/// The value and what it can be recognized by: its digest, or nothing if it is not there.
const LOOK: &str = "
    local value = redis.call('GET', KEYS[1])
    return {value and redis.sha1hex(value) or '', value}";
/// Sets the value if it can still be recognized.
const SWAP: &str = "
    local value = redis.call('GET', KEYS[1])
    if (value and redis.sha1hex(value) or '') ~= ARGV[1] then return 0 end
    redis.call('SET', KEYS[1], ARGV[2])
    return 1";

/// A database, reached by one connection that all share: requests are sent without waiting for replies to others.
pub struct Redis {
    uri: RedisUri,
    /// Made on the runtime of who first needs it, and made again when it is lost.
    connection: OnceCell<ConnectionManager>,
}

impl Redis {
    pub fn new(uri: RedisUri) -> Self {
        Redis {
            uri,
            connection: OnceCell::new(),
        }
    }

    pub async fn get(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        match keys {
            [] => Ok(Vec::new()),
            [key] => Ok(vec![self.ask(cmd("GET").arg(key)).await?]),
            keys => {
                let mut lengths = cmd("EVAL");
                lengths.arg(LENGTHS).arg(keys.len()).arg(keys);
                check_sum(self.ask(&lengths).await?)?;
                self.ask(cmd("MGET").arg(keys)).await
            }
        }
    }

    pub async fn set(&self, entries: &[(String, Vec<u8>)]) -> Result<(), StoreError> {
        if entries.is_empty() {
            return Ok(());
        }
        let mut command = cmd("MSET");
        for (key, value) in entries {
            command.arg(key).arg(value);
        }
        self.ask(&command).await
    }

    pub async fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        match keys {
            [] => Ok(()),
            keys => self.ask(cmd("DEL").arg(keys)).await,
        }
    }

    pub async fn has(&self, key: &str) -> Result<bool, StoreError> {
        self.ask(cmd("EXISTS").arg(key)).await
    }

    /// Cursors are those of Redis. None of the characters in a bucket's name has a meaning in its patterns.
    pub async fn list(&self, prefix: &str, cursor: Option<String>) -> Result<Page, StoreError> {
        let cursor: u64 = match cursor {
            Some(cursor) => cursor.parse().map_err(|_| StoreError::NoCursor)?,
            None => 0,
        };
        let mut scan = cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(format!("{prefix}*"));
        scan.arg("COUNT").arg(MAX_BATCH_KEYS);
        let (next, keys): (u64, Vec<Vec<u8>>) = self.ask(&scan).await?;
        // What is no text was not written by a guest.
        let keys = keys
            .into_iter()
            .filter_map(|key| String::from_utf8(key).ok());
        let keys = keys.filter_map(|key| key.strip_prefix(prefix).map(str::to_owned));
        Ok(Page {
            keys: keys.collect(),
            cursor: (next != 0).then(|| next.to_string()),
        })
    }

    pub async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        let sum = self.ask_once(cmd("INCRBY").arg(key).arg(delta)).await;
        sum.map_err(|error| match error {
            // There is no code for it.
            StoreError::Refused(reason)
                if reason.contains("not an integer") || reason.contains("overflow") =>
            {
                StoreError::NoNumber
            }
            error => error,
        })
    }

    pub async fn look(&self, key: &str) -> Result<(Option<Vec<u8>>, Mark), StoreError> {
        let looked = self.ask(cmd("EVAL").arg(LOOK).arg(1).arg(key)).await;
        let (digest, value): (Vec<u8>, Option<Vec<u8>>) = looked?;
        Ok((value, Mark(digest)))
    }

    pub async fn swap(&self, key: &str, mark: &Mark, value: &[u8]) -> Result<bool, StoreError> {
        let mut command = cmd("EVAL");
        command.arg(SWAP).arg(1).arg(key).arg(&mark.0).arg(value);
        self.ask_once(&command).await
    }

    /// Asks for what may be done twice. A connection that was lost while nobody used it costs nobody anything.
    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        let is_lost = |error: &RedisError| error.is_io_error() && !error.is_timeout();
        self.try_twice(command, is_lost).await
    }

    /// Asks for what must not be done twice, and may have been done if the connection is lost.
    async fn ask_once<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        self.try_twice(command, RedisError::is_connection_refusal)
            .await
    }

    /// Each failure has the connection made again, which the next try waits for.
    async fn try_twice<T: FromRedisValue>(
        &self,
        command: &Cmd,
        may_retry: impl Fn(&RedisError) -> bool,
    ) -> Result<T, StoreError> {
        let mut connection = self.connection().await?;
        match command.query_async(&mut connection).await {
            Err(error) if may_retry(&error) => Ok(command.query_async(&mut connection).await?),
            reply => Ok(reply?),
        }
    }

    async fn connection(&self) -> Result<ConnectionManager, StoreError> {
        let make = || async {
            let config = ConnectionManagerConfig::new()
                // The next who needs it tries again.
                .set_number_of_retries(0)
                .set_connection_timeout(Some(STORE_CONNECT_TIME))
                .set_response_timeout(Some(STORE_REPLY_TIME));
            ConnectionManager::new_lazy_with_config(self.uri.client()?, config)
        };
        Ok(self.connection.get_or_try_init(make).await?.clone())
    }
}

impl From<RedisError> for StoreError {
    fn from(error: RedisError) -> Self {
        match error.kind() {
            ErrorKind::Server(ServerErrorKind::BusyLoading) | ErrorKind::Io => {
                StoreError::Unreachable(error.to_string())
            }
            _ => StoreError::Refused(error.to_string()),
        }
    }
}
