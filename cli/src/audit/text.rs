//! The report of an audit for people.
//!
//! ```text
//!  audit
//!  text     (this file)
//! ```

use std::io::{self, Write};

use bydesign::credential::audit::{FALSE_ALARMS, Prohibition, Report, Role, Verdict};

pub(super) fn write(report: &Report, file: &str, out: &mut impl Write) -> io::Result<()> {
    let verdict = match report.verdict() {
        Verdict::Pass => "PASS: no test found anything",
        Verdict::Fail => "FAIL",
    };
    writeln!(out, "{verdict}\n")?;
    writeln!(out, "file       {}", shown(file))?;
    writeln!(out, "devices    {}", report.devices)?;
    let columns: Vec<String> = report
        .columns
        .iter()
        .map(|(name, role)| format!("{} ({})", shown(name), role_name(*role)))
        .collect();
    writeln!(out, "columns    {}", columns.join(", "))?;
    writeln!(
        out,
        "generator  {}",
        report
            .generator
            .as_deref()
            .map_or_else(|| "not declared".into(), shown)
    )?;
    writeln!(out, "attack     {}", attack(report))?;
    for summary in &report.summaries {
        let kind = if summary.is_pairing {
            "pairing codes"
        } else {
            "passwords"
        };
        writeln!(out, "\n{kind} in column {}", shown(&summary.column))?;
        for (layout, devices) in &summary.layouts {
            writeln!(out, "  layout   {}  on {devices} devices", shown(layout))?;
        }
        writeln!(out, "  symbols  {}", shown(&summary.alphabet))?;
        let bits = summary
            .bits
            .map_or_else(|| "not known".into(), |bits| format!("{bits:.1} bits"));
        writeln!(out, "  space    {bits}; {:.0} are asked for", summary.floor)?;
        writeln!(
            out,
            "  distinct {} ({:.2} pairs of devices with the same are expected)",
            summary.distinct, summary.expected_pairs
        )?;
        writeln!(out, "  specimens")?;
        for specimen in &summary.specimens {
            writeln!(out, "    {}", shown(specimen))?;
        }
    }
    for prohibition in Prohibition::ALL {
        let mut findings = report.against(prohibition).peekable();
        let end = if findings.peek().is_none() {
            ": nothing found"
        } else {
            ""
        };
        writeln!(
            out,
            "\n({}) {}{end}",
            prohibition.letter(),
            prohibition.in_words()
        )?;
        for finding in findings {
            writeln!(
                out,
                "  {} in {}: {}",
                finding.kind,
                shown(&finding.column),
                shown(&finding.evidence)
            )?;
            writeln!(
                out,
                "    {} of {} devices{}",
                finding.devices,
                finding.of,
                at_lines(&finding.lines)
            )?;
        }
    }
    if !report.undecided.is_empty() {
        writeln!(out, "\nnot decided")?;
        for undecided in &report.undecided {
            writeln!(
                out,
                "  {} ({}): {}",
                undecided.test,
                shown(&undecided.column),
                undecided.why
            )?;
        }
    }
    if !report.observations.is_empty() {
        writeln!(out, "\nobserved")?;
        for observation in &report.observations {
            writeln!(out, "  {}", shown(observation))?;
        }
    }
    writeln!(
        out,
        "\nAt most one honest batch in {FALSE_ALARMS} is reported. A pass is no proof: what is derived under a secret looks random to everybody else."
    )
}

/// What a batch holds is not to move the cursor, nor to turn the writing round.
fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            shown.extend(letter.escape_unicode());
        } else {
            shown.push(letter);
        }
    }
    shown
}

pub(super) fn attack(report: &Report) -> &'static str {
    if report.offline {
        "passwords can be tried without the device"
    } else {
        "passwords can be tried at the device only, behind a limiter"
    }
}

pub(super) fn at_lines(lines: &[u64]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    format!(", such as in lines {}", lines.join(", "))
}

pub(super) const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Serial => "serial",
        Role::Mac => "mac",
        Role::Ssid => "ssid",
        Role::Imei => "imei",
        Role::Password => "password",
        Role::Pin => "pin",
        Role::Salt => "salt",
        Role::Iterations => "iterations",
        Role::Verifier => "verifier",
        Role::Ignored => "ignored",
        _ => "identifier",
    }
}
