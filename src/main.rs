//! The `dynameter` command, which is in the library so that other programs can bring it along.

use std::process::ExitCode;

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    dynameter::cli::run(std::env::args_os())
}
