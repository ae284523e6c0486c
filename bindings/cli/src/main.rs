//! `rdstoken`, the command.

#![expect(
    clippy::doc_markdown,
    reason = "the comments become the help, where variables stand without backticks"
)]

mod connection;
mod drivers;
mod exec;
mod login;
mod passfile;
mod pow;
mod token;

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use log::{Level, LevelFilter, Log, Metadata, Record};

/// IAM authentication tokens for Aurora and RDS.
#[derive(Parser)]
#[command(name = "rdstoken", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Token(token::Token),
    Exec(exec::Exec),
    Url(connection::Url),
    Odbc(connection::Odbc),
    Passfile(passfile::Passfile),
    Drivers(drivers::Drivers),
}

/// Why a command failed.
enum Failure {
    /// The core's reason.
    Token(rdstoken::Error),
    /// The answer could not be written.
    Output(io::Error),
    /// A file could not be written.
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// A program could not be run.
    Exec {
        /// The program.
        program: String,
        /// The reason.
        error: io::Error,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(error) => write!(f, "{}: {error}", error.kind().code()),
            Self::Output(error) => write!(f, "could not write to standard output: {error}"),
            Self::File { path, error } => write!(f, "could not write {}: {error}", path.display()),
            Self::Exec { program, error } => write!(f, "could not run {program}: {error}"),
        }
    }
}

/// Warnings of the core, for people.
struct Warnings;

impl Log for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "rdstoken" && metadata.level() <= Level::Warn
    }

    #[expect(clippy::print_stderr, reason = "a command's warnings go there")]
    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            eprintln!("rdstoken: warning: {}", record.args());
        }
    }

    fn flush(&self) {}
}

#[expect(clippy::print_stderr, reason = "a command's errors go there")]
fn main() -> ExitCode {
    let Arguments { command } = Arguments::parse();
    if log::set_logger(&Warnings).is_ok() {
        log::set_max_level(LevelFilter::Warn);
    }
    let output = &mut io::stdout().lock();
    let result = match command {
        Command::Token(token) => token.run(output),
        Command::Exec(exec) => exec.run(),
        Command::Url(url) => url.run(output),
        Command::Odbc(odbc) => odbc.run(output),
        Command::Passfile(passfile) => passfile.run(output),
        Command::Drivers(drivers) => drivers.run(output),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("rdstoken: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Prints a line of the answer.
fn print(output: &mut impl Write, line: &str) -> Result<(), Failure> {
    writeln!(output, "{line}")
        .and_then(|()| output.flush())
        .map_err(Failure::Output)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Arguments;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
}
