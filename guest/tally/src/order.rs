//! The request in a line.

/// The request in a line.
#[derive(Debug, PartialEq, Eq)]
pub enum Order<'a> {
    /// Count a name once more.
    Count(&'a str),
    /// Raise the count to at least this number.
    Raise(&'a str, i64),
    /// Delete it.
    Forget(&'a str),
    /// List all names and counts.
    All,
}

impl<'a> From<&'a str> for Order<'a> {
    fn from(line: &'a str) -> Self {
        let raise = line
            .rsplit_once(" >")
            .and_then(|(name, least)| Some((name, least.parse().ok()?)));
        match (raise, line.strip_suffix(" -")) {
            (Some((name, least)), _) => Order::Raise(name, least),
            (None, Some(name)) => Order::Forget(name),
            (None, None) if line.is_empty() => Order::All,
            (None, None) => Order::Count(line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_is_a_name_unless_it_says_more() {
        for (line, order) in [
            ("apples", Order::Count("apples")),
            ("green apples >7", Order::Raise("green apples", 7)),
            ("apples >many", Order::Count("apples >many")),
            ("apples -", Order::Forget("apples")),
            ("", Order::All),
        ] {
            assert_eq!(Order::from(line), order, "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_line_is_an_order(line in "[ >\\-0-9a-z\u{0}-\u{ff}]{0,40}") {
            match Order::from(line.as_str()) {
                Order::Count(name) | Order::Raise(name, _) | Order::Forget(name) => {
                    prop_assert!(line.starts_with(name));
                }
                Order::All => prop_assert!(line.is_empty()),
            }
        }
    }
}
