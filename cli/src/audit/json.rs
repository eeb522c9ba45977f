//! The report of an audit for machines.
//!
//! ```text
//!  audit
//!  json     (this file)
//! ```

use std::io::{self, Write};

use bydesign::credential::audit::{FALSE_ALARMS, Finding, Report, Summary};
use serde_json::{Value, json};

use super::text::role_name;

pub(super) fn write(report: &Report, file: &str, out: &mut impl Write) -> io::Result<()> {
    let columns: Vec<Value> = report
        .columns
        .iter()
        .map(|(name, role)| json!({ "name": name, "role": role_name(*role) }))
        .collect();
    let undecided: Vec<Value> = report
        .undecided
        .iter()
        .map(|undecided| json!({ "column": undecided.column, "test": undecided.test, "why": undecided.why }))
        .collect();
    let value = json!({
        "verdict": report.verdict().name(),
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "undecided": undecided,
        "observations": report.observations,
        "file": file,
        "devices": report.devices,
        "offline": report.offline,
        "columns": columns,
        "passwords": report.summaries.iter().map(summary).collect::<Vec<_>>(),
        "generator": report.generator,
        "tests": report.tests,
        "false_alarms": format!("at most 1 honest batch in {FALSE_ALARMS}"),
    });
    serde_json::to_writer_pretty(&mut *out, &value)?;
    writeln!(out)
}

fn finding(finding: &Finding) -> Value {
    json!({
        "prohibition": finding.prohibition.letter(),
        "kind": finding.kind.name(),
        "column": finding.column,
        "evidence": finding.evidence,
        "devices": finding.devices,
        "of": finding.of,
        "lines": finding.lines,
    })
}

fn summary(summary: &Summary) -> Value {
    let layouts: Vec<Value> = summary
        .layouts
        .iter()
        .map(|(layout, devices)| json!({ "layout": layout, "devices": devices }))
        .collect();
    json!({
        "column": summary.column,
        "pairing": summary.is_pairing,
        "layouts": layouts,
        "alphabet": summary.alphabet,
        "bits": summary.bits,
        "floor": summary.floor,
        "distinct": summary.distinct,
        "expected_pairs": summary.expected_pairs,
        "specimens": summary.specimens,
    })
}
