//! The `dynameter` command. `cli` holds what a user may type; everything else is the library.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
