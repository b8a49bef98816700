//! Stands in for Redis in a build without it: there is no such store, so nothing here can be called.

use crate::{Mark, Page, StoreError};
use std::fmt;
use std::path::PathBuf;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedisUri {}

pub enum Redis {}

impl RedisUri {
    pub(crate) fn parse(_: &str) -> Option<Self> {
        None
    }

    pub fn is_tls(&self) -> bool {
        match *self {}
    }

    pub fn port(&self) -> Option<u16> {
        match *self {}
    }

    pub fn socket(&self) -> Option<PathBuf> {
        match *self {}
    }
}

impl fmt::Display for RedisUri {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl Redis {
    pub fn new(uri: RedisUri) -> Self {
        match uri {}
    }

    pub async fn get(&self, _: &[String]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        match *self {}
    }

    pub async fn set(&self, _: &[(String, Vec<u8>)]) -> Result<(), StoreError> {
        match *self {}
    }

    pub async fn delete(&self, _: &[String]) -> Result<(), StoreError> {
        match *self {}
    }

    pub async fn has(&self, _: &str) -> Result<bool, StoreError> {
        match *self {}
    }

    pub async fn list(&self, _: &str, _: Option<String>) -> Result<Page, StoreError> {
        match *self {}
    }

    pub async fn increment(&self, _: &str, _: i64) -> Result<i64, StoreError> {
        match *self {}
    }

    pub async fn look(&self, _: &str) -> Result<(Option<Vec<u8>>, Mark), StoreError> {
        match *self {}
    }

    pub async fn swap(&self, _: &str, _: &Mark, _: &[u8]) -> Result<bool, StoreError> {
        match *self {}
    }
}
