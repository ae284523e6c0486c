//! `rdstoken drivers`

use std::io::Write;

use clap::Args;
use rdstoken::{DRIVERS, DriverForm};
use serde::Serialize;

use crate::{Failure, print};

/// List what drivers do to passwords as long as tokens, and which connection strings there are.
///
/// A row is a driver and a form, which is a way to give it the password. WHOLE UP TO is the longest
/// token in bytes that arrives whole: 0 if none does, - if there is no limit. BEYOND says what
/// happens to a longer one; cut and altered happen without a word, and the server refuses the login.
/// WRITTEN are the forms that `rdstoken url` and `rdstoken odbc` print.
#[derive(Args)]
pub(crate) struct Drivers {
    /// Print a JSON array instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Row {
    driver: &'static str,
    form: &'static str,
    /// Bytes; 0 if no token arrives whole, null if there is no limit below 65,000.
    max_length: Option<usize>,
    beyond: &'static str,
    /// Whether `rdstoken url` or `rdstoken odbc` can write it.
    written: bool,
    note: &'static str,
    source: &'static str,
}

impl From<&DriverForm> for Row {
    fn from(row: &DriverForm) -> Self {
        Self {
            driver: row.driver,
            form: row.form,
            max_length: row.max_length,
            beyond: row.beyond.name(),
            written: row.is_written(),
            note: row.note,
            source: row.source,
        }
    }
}

impl Drivers {
    pub(crate) fn run(&self, output: &mut impl Write) -> Result<(), Failure> {
        let rows: Vec<Row> = DRIVERS.iter().map(Row::from).collect();
        if self.json {
            let json = serde_json::to_string_pretty(&rows).expect("texts and numbers become JSON");
            return print(output, &json);
        }
        let mut lines = vec![line(
            "DRIVER",
            "FORM",
            "WHOLE UP TO",
            "BEYOND",
            "WRITTEN",
            "NOTE",
        )];
        lines.extend(rows.iter().map(|row| {
            let limit = row.max_length.map(|length| length.to_string());
            line(
                row.driver,
                row.form,
                limit.as_deref().unwrap_or("-"),
                if row.max_length.is_some() {
                    row.beyond
                } else {
                    "-"
                },
                if row.written { "yes" } else { "-" },
                row.note,
            )
        }));
        print(output, &lines.join("\n"))
    }
}

fn line(driver: &str, form: &str, limit: &str, beyond: &str, written: &str, note: &str) -> String {
    format!("{driver:<23} {form:<27} {limit:>11}  {beyond:<8} {written:<8} {note}")
        .trim_end()
        .to_owned()
}
