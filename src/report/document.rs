//! A result before it has a format: a headline, notes, and parts. Text and Markdown are made of it.

/// A result for people.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// The result in a sentence.
    pub headline: String,
    /// Whether the headline needs attention.
    pub is_warning: bool,
    /// What the figures rest on, in lines below the headline.
    pub notes: Vec<Note>,
    /// The parts, in their order.
    pub parts: Vec<Part>,
    /// Whether the text writes tables without indentation.
    pub is_flush: bool,
}

/// A line below the headline.
#[derive(Clone, Debug)]
pub enum Note {
    /// One line.
    Line(String),
    /// Several lines behind a label.
    Labelled(&'static str, Vec<String>),
}

/// A part of a document.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its title; none for a paragraph.
    pub title: String,
    /// A figure beside the title.
    pub figure: Option<String>,
    /// Whether it needs attention.
    pub is_warning: bool,
    /// What it shows.
    pub body: Body,
}

/// What a part shows.
#[derive(Clone, Debug)]
pub enum Body {
    /// Rows under a header.
    Table(Table),
    /// A bulleted list.
    List(Vec<String>),
    /// Lines as they are; a list in Markdown.
    Lines(Vec<String>),
    /// Entries with details below them; Markdown shows the other body.
    Entries(Vec<Entry>, Box<Body>),
    /// Numbered entries, each with lines of TOML that can be pasted.
    Edits(Vec<Entry>),
    /// A sentence without a title.
    Paragraph(String),
}

/// Rows under a header.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The header.
    pub header: Vec<&'static str>,
    /// The rows, as long as the header.
    pub rows: Vec<Vec<String>>,
    /// The positions of the numeric columns.
    pub numbers: &'static [usize],
    /// The positions of columns of differences: what is saved is green on a terminal.
    pub savings: &'static [usize],
    /// The columns that a narrow terminal shows below their row, the first to go first.
    pub below: &'static [usize],
    /// How many rows are not shown, in words.
    pub more: Option<String>,
}

/// An entry of a list with details below it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What stands before it, such as `- `.
    pub mark: String,
    /// Its first line.
    pub head: String,
    /// The lines below.
    pub details: Vec<String>,
}

impl Table {
    /// Rows under a header, with the positions of the numeric columns.
    pub fn new(
        header: &[&'static str],
        rows: Vec<Vec<String>>,
        numbers: &'static [usize],
    ) -> Table {
        Table {
            header: header.to_vec(),
            rows,
            numbers,
            ..Table::default()
        }
    }

    /// Names the columns of differences.
    pub fn saving(self, savings: &'static [usize]) -> Table {
        Table { savings, ..self }
    }

    /// Names the columns that a narrow terminal shows below their row.
    pub fn folding(self, below: &'static [usize]) -> Table {
        Table { below, ..self }
    }
}

impl Body {
    fn is_empty(&self) -> bool {
        match self {
            Body::Table(table) => table.rows.is_empty(),
            Body::List(lines) | Body::Lines(lines) => lines.is_empty(),
            Body::Entries(entries, _) | Body::Edits(entries) => entries.is_empty(),
            Body::Paragraph(text) => text.is_empty(),
        }
    }
}

impl Document {
    /// A document without parts.
    pub fn new(headline: impl Into<String>) -> Document {
        Document {
            headline: headline.into(),
            ..Document::default()
        }
    }

    /// Adds a line below the headline.
    pub fn note(mut self, line: impl Into<String>) -> Document {
        self.notes.push(Note::Line(line.into()));
        self
    }

    /// Adds a part, unless it is empty.
    pub fn part(&mut self, title: impl Into<String>, body: Body) {
        if !body.is_empty() {
            self.any_part(title, None, body);
        }
    }

    /// Adds a part that needs attention, unless it is empty.
    pub fn warning(&mut self, title: impl Into<String>, body: Body) {
        let count = self.parts.len();
        self.part(title, body);
        for part in &mut self.parts[count..] {
            part.is_warning = true;
        }
    }

    /// Adds a part with a figure beside its title, even if it is empty.
    pub fn any_part(&mut self, title: impl Into<String>, figure: Option<String>, body: Body) {
        self.parts.push(Part {
            title: title.into(),
            figure,
            is_warning: false,
            body,
        });
    }

    /// Puts a part before all others.
    pub fn first_part(&mut self, title: impl Into<String>, body: Body) {
        self.any_part(title, None, body);
        self.parts.rotate_right(1);
    }

    /// Adds rows under a header, unless there are none.
    pub fn table(
        &mut self,
        title: impl Into<String>,
        header: &[&'static str],
        rows: Vec<Vec<String>>,
        numbers: &'static [usize],
    ) {
        self.part(title, Body::Table(Table::new(header, rows, numbers)));
    }

    /// Adds the lists with which most results end, those that are not empty.
    pub fn lists(&mut self, warnings: &[String], assumptions: &[String], switches: &[String]) {
        self.warning("Warnings", Body::List(warnings.to_vec()));
        self.part("Assumptions", Body::List(assumptions.to_vec()));
        self.part("Switches", Body::List(switches.to_vec()));
    }
}
