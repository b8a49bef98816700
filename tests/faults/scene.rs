//! A host whose guests fail, and its resources before they did.

use crate::fixture::{Client, DEADLINE, guest};
use crate::swap::post::{Folder, Post};
use std::fs;
use std::thread;
use std::time::Instant;

pub struct Scene {
    pub post: Post,
    /// Resources of the host before the first client.
    threads: usize,
    descriptors: usize,
    /// The directory of the saboteur's orders.
    orders: Folder,
    /// Granted directories that each instance has open.
    granted: usize,
}

impl Scene {
    /// Serves a component of guest/ with these arguments.
    pub fn of(name: &str, args: &[&str]) -> Self {
        Scene::serve(fs::read(guest(name)).unwrap(), args)
    }

    /// Serves a handler that fails only when [ordered](Self::order) to.
    pub fn of_saboteur(args: &[&str]) -> Self {
        let orders = Folder::new();
        let granted = format!("{}::/orders", orders.path(""));
        let args = [&["--dir", &granted], args].concat();
        let scene = Scene::of("saboteur", &args);
        Scene {
            orders,
            granted: 1,
            ..scene
        }
    }

    /// Serves a component with these arguments.
    pub fn serve(component: impl AsRef<[u8]>, args: &[&str]) -> Self {
        let mut args = args.to_vec();
        if !args.contains(&"--drain-timeout") {
            args.extend(["--drain-timeout", "2s"]);
        }
        let post = Post::serve(component, &args);
        let before = post.usage();
        Scene {
            threads: before.threads,
            descriptors: before.descriptors,
            orders: Folder::new(),
            granted: 0,
            post,
        }
    }

    pub fn connect(&self) -> Client {
        self.post.host.connect()
    }

    /// A client that the saboteur has greeted.
    pub fn greeted(&self) -> Client {
        let mut client = self.connect();
        client.expect("ready\n");
        client
    }

    /// Orders the saboteur to do this, once, when it reaches a point.
    pub fn order(&self, point: &str, order: &str) {
        self.orders.put(point, order);
    }

    /// Waits for the log line that says why this client's connection failed.
    pub fn expect_reason(&self, client: &Client, reason: &str) {
        let peer = format!("peer={}}}", client.stream.local_addr().unwrap());
        let what = format!("{reason:?} about {peer}");
        self.post.host.process.stderr.wait_until(&what, |text| {
            let mut lines = text.lines();
            lines.find(|line| line.contains(&peer) && line.contains(reason))?;
            Some(())
        });
    }

    /// The host closes this client's connection, and the log says why.
    pub fn expect_failure(&self, mut client: Client, reason: &str) {
        client.expect_closed();
        self.expect_reason(&client, reason);
    }

    /// Waits until the host has the expected number of instances, and no more descriptors than at
    /// the beginning, except those of its clients and instances.
    pub fn expect_nothing_left(&self, clients: usize, instances: usize) {
        self.post.wait_until("everything given back", |status| {
            status["connections"]["open"] == clients && status["places"]["taken"] == instances
        });
        let descriptors = self.descriptors + clients + instances * self.granted;
        self.expect_usage("descriptors", descriptors, |post| post.usage().descriptors);
    }

    /// Waits until the host has no more threads than at the beginning.
    pub fn expect_no_threads(&self) {
        self.expect_usage("threads", self.threads, |post| post.usage().threads);
    }

    fn expect_usage(&self, what: &str, limit: usize, usage: impl Fn(&Post) -> usize) {
        let deadline = Instant::now() + DEADLINE;
        while usage(&self.post) > limit {
            assert!(
                Instant::now() < deadline,
                "{what} were {limit}: {:?}",
                self.post.usage()
            );
            thread::yield_now();
        }
    }
}
