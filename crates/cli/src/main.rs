//! The program `countersign`. All of it is in the library but the choice of an allocator, which is not a library's to
//! make.

use std::process::ExitCode;

/// An upload's buffers are made by one thread and freed by another, at which the system's allocator is slow
/// (`docs/performance.md`).
#[cfg(unix)]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    countersign::run_program()
}
