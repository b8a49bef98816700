//! A list of tasks.

/// Tasks of one line each, numbered from 1.
#[derive(Debug, Default)]
pub struct Tasks(Vec<String>);

impl Tasks {
    /// Adds a task and returns its number.
    pub fn add(&mut self, task: &str) -> usize {
        self.0.push(task.to_owned());
        self.count()
    }

    /// Removes a task. Later tasks move up.
    pub fn remove(&mut self, number: usize) -> Option<String> {
        let at = number.checked_sub(1).filter(|at| *at < self.0.len())?;
        Some(self.0.remove(at))
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    pub fn numbered(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.0.iter().map(String::as_str))
    }

    /// The tasks as text, for the next version of the handler.
    pub fn save(&self) -> String {
        self.0.join("\n")
    }

    /// The tasks that a version has saved.
    pub fn resume(saved: &str) -> Self {
        Tasks(saved.lines().map(str::to_owned).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_numbered_and_saved() {
        let mut tasks = Tasks::default();
        assert_eq!(["a", "b", "c"].map(|task| tasks.add(task)), [1, 2, 3]);
        assert_eq!(tasks.remove(2).as_deref(), Some("b"));
        assert_eq!((tasks.remove(0), tasks.remove(3)), (None, None));
        let resumed = Tasks::resume(&tasks.save());
        assert!(resumed.numbered().eq([(1, "a"), (2, "c")]));
        assert_eq!(Tasks::resume(&Tasks::default().save()).count(), 0);
    }
}
