//! A command that another program runs in its own process: what it reads and what it says.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
#[cfg(feature = "replay")]
use std::sync::{Mutex, PoisonError};

use crate::diag::Diagnostic;
#[cfg(feature = "replay")]
use crate::files::Progress;

/// What the program that runs a command can see and do while it runs.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Watch {
    /// Set it to end the command at the next opportunity.
    pub stopped: Arc<AtomicBool>,
    /// What is read of a trace, once reading has begun.
    #[cfg(feature = "replay")]
    pub progress: Arc<Mutex<Option<Progress>>>,
}

/// A command to run.
#[derive(Default)]
#[non_exhaustive]
pub struct Call {
    /// The arguments, without the name of the program.
    pub arguments: Vec<String>,
    /// Texts that arguments name as if they were files, by their names, such as `<design>`.
    pub texts: BTreeMap<String, String>,
    /// The record batches of a trace that an argument names [`BATCHES`].
    #[cfg(feature = "replay")]
    pub batches: Option<Box<dyn arrow_array::RecordBatchReader + Send>>,
    /// What can be seen of the command while it runs.
    pub watch: Watch,
}

impl Call {
    /// A command with these arguments, which may name these texts.
    pub fn new(arguments: Vec<String>, texts: BTreeMap<String, String>, watch: Watch) -> Call {
        Call {
            arguments,
            texts,
            #[cfg(feature = "replay")]
            batches: None,
            watch,
        }
    }
}

/// The argument that stands for record batches.
pub const BATCHES: &str = "<trace>";

/// What a command came to.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Answer {
    /// The exit code: 0, 1 if a check fails, or 2 for a mistake.
    pub code: u8,
    /// What it wrote to standard output.
    pub output: Vec<u8>,
    /// What it wrote to standard error.
    pub notes: Vec<String>,
    /// The mistakes that have a place in a text.
    pub diagnostics: Vec<Diagnostic>,
}

/// A running command.
struct Session {
    texts: BTreeMap<String, String>,
    #[cfg(feature = "replay")]
    batches: Option<Box<dyn arrow_array::RecordBatchReader + Send>>,
    watch: Watch,
    answer: Answer,
}

thread_local! {
    static SESSION: RefCell<Option<Session>> = const { RefCell::new(None) };
}

/// Begins a command on this thread, and returns what ends it. A thread that waits for others may take
/// up another command: the one before goes on when that has ended.
pub fn begin(call: Call) -> Running {
    let session = Session {
        texts: call.texts,
        #[cfg(feature = "replay")]
        batches: call.batches,
        watch: call.watch,
        answer: Answer::default(),
    };
    Running(SESSION.replace(Some(session)))
}

/// A command that was begun, with the one before it on the same thread.
pub struct Running(Option<Session>);

impl Running {
    /// Ends the command, and returns what it came to.
    pub fn end(mut self, code: u8) -> Answer {
        let session = SESSION.replace(self.0.take());
        let answer = session.map(|session| session.answer).unwrap_or_default();
        Answer { code, ..answer }
    }
}

/// Keeps the mistakes that the command found.
pub fn found(diagnostics: Vec<Diagnostic>) {
    with(|session| session.answer.diagnostics = diagnostics);
}

fn with<T>(of: impl FnOnce(&mut Session) -> T) -> Option<T> {
    SESSION.with_borrow_mut(|session| session.as_mut().map(of))
}

/// Whether another program runs the command.
pub fn is_active() -> bool {
    SESSION.with_borrow(Option::is_some)
}

/// Takes what the command writes to standard output; `false` if no program runs it.
pub fn print(bytes: &[u8]) -> bool {
    with(|session| session.answer.output.extend_from_slice(bytes)).is_some()
}

/// Takes what the command says; `false` if no program runs it.
pub fn say(text: &str) -> bool {
    with(|session| session.answer.notes.push(text.to_string())).is_some()
}

/// The text that an argument names.
pub fn text(name: &str) -> Option<String> {
    with(|session| session.texts.get(name).cloned()).flatten()
}

/// The record batches, which can be taken once.
#[cfg(feature = "replay")]
pub fn batches() -> Option<Box<dyn arrow_array::RecordBatchReader + Send>> {
    with(|session| session.batches.take()).flatten()
}

/// The flag that ends the command.
pub fn stopped() -> Option<Arc<AtomicBool>> {
    with(|session| session.watch.stopped.clone())
}

/// Shows what is read of a trace.
#[cfg(feature = "replay")]
pub fn reads(progress: &Progress) {
    with(|session| {
        let shown = session.watch.progress.lock();
        let mut shown = shown.unwrap_or_else(PoisonError::into_inner);
        *shown = Some(progress.clone());
    });
}
