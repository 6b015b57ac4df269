//! Runs a command for another program, in its process.

use clap::Parser;

use super::args::Args;
pub use super::session::{Answer, BATCHES, Call, Watch};
use super::{WRONG, output, prepared_and_executed, session};

/// Runs a command on this thread. Nothing is written to the standard streams, and no signal is caught.
pub fn call(mut call: Call) -> Answer {
    let arguments = std::mem::take(&mut call.arguments);
    let running = session::begin(call);
    let code = exit_code(&arguments);
    running.end(code)
}

fn exit_code(arguments: &[String]) -> u8 {
    let program = std::iter::once("dynameter");
    let all = program.chain(arguments.iter().map(String::as_str));
    let mut args = match Args::try_parse_from(all) {
        Ok(args) => args,
        Err(error) => {
            output::say(error.to_string().trim_end());
            return WRONG;
        }
    };
    match prepared_and_executed(&mut args) {
        Ok(code) => code,
        Err(error) => {
            session::found(output::diagnostics(&error));
            output::say(&output::failure(&error));
            WRONG
        }
    }
}
