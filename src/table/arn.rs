//! Amazon Resource Names of tables and indexes.

/// An ARN, or a plain name where AWS accepts both:
/// `arn:aws:dynamodb:us-east-1:123456789012:table/Orders/index/ByStatus`.
///
/// Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon
/// DynamoDB".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a>(&'a str);

impl<'a> Arn<'a> {
    /// From any text.
    pub fn of(text: &'a str) -> Arn<'a> {
        Arn(text)
    }

    /// The region; `None` for a plain name.
    pub fn region(self) -> Option<&'a str> {
        self.part(3)
    }

    /// The account; `None` for a plain name.
    pub fn account(self) -> Option<&'a str> {
        self.part(4)
    }

    /// The name of the table; a plain name is returned unchanged.
    pub fn table(self) -> &'a str {
        self.0
            .split_once(":table/")
            .map_or(self.0, |(_, rest)| rest.split('/').next().unwrap_or(rest))
    }

    fn part(self, at: usize) -> Option<&'a str> {
        self.0
            .split(':')
            .nth(at)
            .filter(|part| self.0.starts_with("arn:") && !part.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::Arn;

    #[test]
    fn an_arn_tells_its_parts_and_a_name_itself() {
        fn parts(text: &str) -> (Option<&str>, Option<&str>, &str) {
            (
                Arn::of(text).region(),
                Arn::of(text).account(),
                Arn::of(text).table(),
            )
        }
        let table = "arn:aws:dynamodb:eu-west-1:123456789012:table/Orders";
        assert_eq!(
            parts(table),
            (Some("eu-west-1"), Some("123456789012"), "Orders")
        );
        assert_eq!(
            parts(&format!("{table}/index/ByStatus")),
            (Some("eu-west-1"), Some("123456789012"), "Orders")
        );
        assert_eq!(
            parts(&format!("{table}/stream/2024-01-01T00:00:00.000")).2,
            "Orders"
        );
        assert_eq!(
            parts("arn:aws:dynamodb:::table/Orders"),
            (None, None, "Orders")
        );
        assert_eq!(parts("Orders"), (None, None, "Orders"));
    }
}
