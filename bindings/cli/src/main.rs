//! `rdstoken`, the command.

#![expect(
    clippy::doc_markdown,
    reason = "the comments become the help, where variables stand without backticks"
)]

mod token;

use std::fmt;
use std::io;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

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
}

/// Why a command failed.
enum Failure {
    /// The core's reason.
    Token(rdstoken::Error),
    /// The answer could not be written.
    Output(io::Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(error) => write!(f, "{}: {error}", error.kind().code()),
            Self::Output(error) => write!(f, "could not write to standard output: {error}"),
        }
    }
}

#[expect(clippy::print_stderr, reason = "a command's errors go there")]
fn main() -> ExitCode {
    let Arguments { command } = Arguments::parse();
    let result = match command {
        Command::Token(token) => token.run(&mut io::stdout().lock()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("rdstoken: {failure}");
            ExitCode::FAILURE
        }
    }
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
