//! The native part of the Python package: it runs a command of `dynameter` in this process.
//!
//! The command runs on threads of its own, without Python's lock, while the calling thread looks for
//! Ctrl-C and shows the progress.

mod design;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

#[cfg(feature = "replay")]
use arrow_array::ffi_stream::RecordBatchStreamReader;
#[cfg(feature = "replay")]
use arrow_pyarrow::FromPyArrow;
use dynameter::cli::call::{Answer, Call, Watch, call};
use dynameter::diag::Diagnostic;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use rayon::ThreadPool;

/// How often Ctrl-C is looked for and the progress is shown.
const TICK: Duration = Duration::from_millis(50);

/// How long a command that is told to end may take before it is left to its thread.
const PATIENCE: Duration = Duration::from_millis(100);

/// The threads, and the process that has them: a forked process has none of its parent's threads.
static POOL: Mutex<Option<(u32, Arc<ThreadPool>)>> = Mutex::new(None);

fn pool() -> PyResult<Arc<ThreadPool>> {
    let mut held = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    let own = std::process::id();
    if let Some((process, pool)) = held.as_ref()
        && *process == own
    {
        return Ok(pool.clone());
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .thread_name(|at| format!("dynameter-{at}"))
        .build()
        .map_err(|error| PyValueError::new_err(format!("no threads: {error}")))?;
    let pool = Arc::new(pool);
    if let Some((_, others)) = held.replace((own, pool.clone())) {
        // The threads that these are of are not in this process.
        std::mem::forget(others);
    }
    Ok(pool)
}

/// A mistake: the text that it is in, line and column, its code, what is wrong and how to fix it, and
/// where in a dictionary it is.
type Mistake = (String, usize, usize, String, String, String, Option<String>);

fn mistake(found: &Diagnostic) -> Mistake {
    let (name, (line, column), path) = match &found.source {
        Some(source) => (
            source.name.clone(),
            source.line_column(found.span.start),
            design::path(&source.text, found.span.clone()),
        ),
        None => (String::new(), (0, 0), None),
    };
    (
        name,
        line,
        column,
        found.code.to_string(),
        found.message.clone(),
        found.help.clone(),
        path,
    )
}

/// What a command came to: its exit code, what it wrote, its notes and its mistakes.
type Ran = (u8, Py<PyBytes>, Vec<String>, Vec<Mistake>);

/// Runs a command, and returns its exit code, what it wrote, its notes and its mistakes.
#[pyfunction]
#[pyo3(signature = (arguments, texts, trace=None, progress=None))]
fn run(
    py: Python<'_>,
    arguments: Vec<String>,
    texts: BTreeMap<String, String>,
    trace: Option<Bound<'_, PyAny>>,
    progress: Option<Bound<'_, PyAny>>,
) -> PyResult<Ran> {
    let watch = Watch::default();
    let mut asked = Call::new(arguments, texts, watch.clone());
    if let Some(trace) = trace {
        read_from(&mut asked, &trace)?;
    }
    let answer = watched(py, asked, &watch, progress)?;
    let output = PyBytes::new(py, &answer.output).unbind();
    let mistakes = answer.diagnostics.iter().map(mistake).collect();
    Ok((answer.code, output, answer.notes, mistakes))
}

/// Lets a command read the batches that Python hands over.
#[cfg(feature = "replay")]
fn read_from(asked: &mut Call, trace: &Bound<'_, PyAny>) -> PyResult<()> {
    let stream = RecordBatchStreamReader::from_pyarrow_bound(trace)?;
    asked.batches = Some(Box::new(stream));
    Ok(())
}

/// The light wheel has no readers of traces; the command says so.
#[cfg(not(feature = "replay"))]
fn read_from(_: &mut Call, _: &Bound<'_, PyAny>) -> PyResult<()> {
    Ok(())
}

/// Runs a command on the threads, and looks for Ctrl-C until it ends.
fn watched(
    py: Python<'_>,
    asked: Call,
    watch: &Watch,
    #[cfg_attr(not(feature = "replay"), allow(unused))] progress: Option<Bound<'_, PyAny>>,
) -> PyResult<Answer> {
    let (done, ends) = mpsc::sync_channel(1);
    let ends = Mutex::new(ends);
    let wait = |time| {
        let ends = ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.recv_timeout(time)
    };
    // Sending fails only after Ctrl-C, when the answer is not needed.
    pool()?.spawn(move || drop(done.send(call(asked))));
    loop {
        let answer = py.detach(|| wait(TICK));
        match answer {
            Ok(answer) => return Ok(answer),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                let text = "the command ended without an answer; this is a mistake of dynameter";
                return Err(pyo3::exceptions::PyRuntimeError::new_err(text));
            }
        }
        if let Err(error) = py.check_signals() {
            watch.stopped.store(true, Ordering::SeqCst);
            let _ = py.detach(|| wait(PATIENCE));
            return Err(error);
        }
        #[cfg(feature = "replay")]
        if let Some(show) = &progress {
            let read = watch.progress.lock();
            let read = read.unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(read) = read {
                let count = |number: &std::sync::atomic::AtomicU64| number.load(Ordering::Relaxed);
                show.call1((count(&read.read), count(&read.total), count(&read.rows)))?;
            }
        }
    }
}

/// Runs the command line, and returns its exit code.
#[pyfunction]
fn main(py: Python<'_>, arguments: Vec<String>) -> u8 {
    py.detach(|| dynameter::cli::exit_code(arguments.into_iter().map(Into::into)))
}

/// The files that paths, patterns and folders name, each once, in the order of a trace.
#[cfg(feature = "replay")]
#[pyfunction]
fn files(paths: Vec<String>) -> PyResult<Vec<String>> {
    let sources = dynameter::trace::sources(&paths);
    let sources = sources.map_err(|error| PyValueError::new_err(error.to_string()))?;
    let sources = dynameter::trace::without_doubles(sources);
    Ok(sources.iter().map(|source| source.shown()).collect())
}

/// A design that is a dictionary, as TOML.
#[pyfunction]
fn toml_of(json: &str) -> PyResult<String> {
    design::toml_of(json).map_err(PyValueError::new_err)
}

/// The hash of a key: rows with the same key have the same hash in every format.
#[cfg(feature = "replay")]
#[pyfunction]
fn key_hash(key: &[u8]) -> u64 {
    dynameter::trace::key_hash(key)
}

/// The number of the share, from 1, to which a hash belongs.
#[cfg(feature = "replay")]
#[pyfunction]
fn share_of(hash: u64, shares: u32) -> PyResult<u32> {
    dynameter::replay::KeyShare::of_hash(hash, shares)
        .map(|share| share.number)
        .ok_or_else(|| PyValueError::new_err("shares must be 1 to 256"))
}

/// The native part of dynameter.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(run, module)?)?;
    module.add_function(wrap_pyfunction!(main, module)?)?;
    module.add_function(wrap_pyfunction!(toml_of, module)?)?;
    module.add("has_replay", cfg!(feature = "replay"))?;
    #[cfg(feature = "replay")]
    {
        module.add_function(wrap_pyfunction!(files, module)?)?;
        module.add_function(wrap_pyfunction!(key_hash, module)?)?;
        module.add_function(wrap_pyfunction!(share_of, module)?)?;
    }
    Ok(())
}
