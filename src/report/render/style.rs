//! Colours, widths, and texts that are safe to show.

/// How a text looks: whether it may have colour, and how wide it may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// ANSI escapes are wanted.
    pub color: bool,
    /// The width of the terminal in columns; `None` if lines may be of any length, as in a pipe.
    pub width: Option<usize>,
}

impl Style {
    fn wrap(self, code: &str, text: &str) -> String {
        if self.color {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_string()
        }
    }

    /// A heading or a total.
    pub(in crate::report) fn strong(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// Something that needs attention.
    pub(in crate::report) fn warning(self, text: &str) -> String {
        self.wrap("33", text)
    }

    /// Something that is saved.
    pub(in crate::report) fn saving(self, text: &str) -> String {
        self.wrap("32", text)
    }

    /// A text in lines of the width: the first behind `first`, the others behind `rest`.
    pub(in crate::report) fn wrapped(self, text: &str, first: &str, rest: &str) -> Vec<String> {
        let Some(width) = self.width else {
            return vec![format!("{first}{text}")];
        };
        let options = textwrap::Options::new(width.max(20))
            .initial_indent(first)
            .subsequent_indent(rest)
            .break_words(false)
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        let lines = textwrap::wrap(text, options).into_iter();
        lines.map(|line| line.into_owned()).collect()
    }

    /// The same as one text, with an end of line after each.
    pub(in crate::report) fn lines(self, text: &str, first: &str, rest: &str) -> String {
        let lines = self.wrapped(text, first, rest).into_iter();
        lines.map(|line| line + "\n").collect()
    }

    /// Something less important.
    pub(in crate::report) fn quiet(self, text: &str) -> String {
        self.wrap("2", text)
    }
}

/// A name that is safe to show: without control characters, and without marks that change the
/// direction of the text around it.
pub(in crate::report) fn clean(name: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    name.chars()
        .map(|c| {
            if c.is_control() || turns(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}
