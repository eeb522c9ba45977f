//! The report of an audit as a page that needs nothing else: no script, no network; for a telephone and for paper.
//!
//! ```text
//!  audit
//!  html     (this file)
//! ```

use std::io::{self, Write};

use bydesign::credential::audit::{FALSE_ALARMS, Finding, Prohibition, Report, Summary, Verdict};

use crate::in_html::escaped;

use super::text::{at_lines, attack, role_name};

pub(super) fn write(report: &Report, file: &str, out: &mut impl Write) -> io::Result<()> {
    let (class, verdict) = match report.verdict() {
        Verdict::Pass => ("pass", "Pass: no test found anything"),
        Verdict::Fail => ("fail", "Fail: passwords of this batch are forbidden"),
    };
    writeln!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>Audit of {}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>",
        escaped(file)
    )?;
    writeln!(out, "<h1>Audit of the passwords in {}</h1>", escaped(file))?;
    writeln!(out, "<p class=\"verdict {class}\">{verdict}</p>")?;
    writeln!(
        out,
        "<p>Tested is whether passwords of {} devices are what Schedule 1, paragraph 1(3) of the United Kingdom's Product Security and \
         Telecommunications Infrastructure Regulations 2023 forbids. This page holds passwords of real devices: handle it as you handle them.</p>",
        report.devices
    )?;
    table(out, report)?;
    writeln!(out, "<h2>The four prohibitions</h2>")?;
    for prohibition in Prohibition::ALL {
        of_prohibition(out, report, prohibition)?;
    }
    if !report.undecided.is_empty() {
        writeln!(
            out,
            "<h2>What could not be decided</h2>\n<p>A pass does not speak of these.</p>\n<ul>"
        )?;
        for undecided in &report.undecided {
            let (test, column, why) = (
                undecided.test,
                escaped(&undecided.column),
                escaped(&undecided.why),
            );
            writeln!(out, "<li><b>{test}</b> (column {column}): {why}</li>")?;
        }
        writeln!(out, "</ul>")?;
    }
    if !report.observations.is_empty() {
        writeln!(out, "<h2>Observed, and no finding</h2>\n<ul>")?;
        for observation in &report.observations {
            writeln!(out, "<li>{}</li>", escaped(observation))?;
        }
        writeln!(out, "</ul>")?;
    }
    writeln!(out, "<h2>The passwords</h2>")?;
    for summary in &report.summaries {
        of_column(out, summary)?;
    }
    writeln!(
        out,
        "<h2>How to read this</h2>\n<p>Each test reports only what chance brings about in less than one honest batch in {FALSE_ALARMS}, all tests \
         together. “By chance” is how likely truly random passwords show the same. The tests that ran: {}.</p>\n\
         <p>A pass is no proof. Passwords that are derived under a secret, or with a constant that only the vendor knows, look random to \
         everybody else: how they are generated has to be shown by the vendor.</p>\n</main>\n</body>\n</html>",
        report.tests.join("; ")
    )
}

fn table(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let columns: Vec<String> = report
        .columns
        .iter()
        .map(|(name, role)| format!("{} <small>({})</small>", escaped(name), role_name(*role)))
        .collect();
    let generator = report
        .generator
        .as_deref()
        .map_or_else(|| "not declared".into(), escaped);
    writeln!(out, "<table>")?;
    for (name, value) in [
        ("Devices", report.devices.to_string()),
        ("Columns", columns.join(", ")),
        ("Declared generator", generator),
        ("Attack", attack(report).into()),
        ("Findings", report.findings.len().to_string()),
        ("Not decided", report.undecided.len().to_string()),
    ] {
        writeln!(out, "<tr><th scope=\"row\">{name}</th><td>{value}</td></tr>")?;
    }
    writeln!(out, "</table>")
}

fn of_prohibition(out: &mut impl Write, report: &Report, prohibition: Prohibition) -> io::Result<()> {
    let findings: Vec<&Finding> = report.against(prohibition).collect();
    let (class, mark) = if findings.is_empty() {
        ("pass", "nothing found")
    } else {
        ("fail", "found")
    };
    writeln!(
        out,
        "<section class=\"{class}\">\n<h3>({}) {} <span>{mark}</span></h3>",
        prohibition.letter(),
        prohibition.in_words()
    )?;
    for finding in findings {
        writeln!(
            out,
            "<div class=\"finding\"><b>{}</b> in column {}<p>{}</p><small>{} of {} devices{}</small></div>",
            finding.kind,
            escaped(&finding.column),
            escaped(&finding.evidence),
            finding.devices,
            finding.of,
            at_lines(&finding.lines)
        )?;
    }
    writeln!(out, "</section>")
}

fn of_column(out: &mut impl Write, summary: &Summary) -> io::Result<()> {
    let kind = if summary.is_pairing {
        "pairing codes"
    } else {
        "passwords"
    };
    let bits = summary
        .bits
        .map_or_else(|| "not known".into(), |bits| format!("{bits:.1} bits"));
    writeln!(
        out,
        "<h3>Column {}: {kind}</h3>\n<table>",
        escaped(&summary.column)
    )?;
    let layouts: Vec<String> = summary
        .layouts
        .iter()
        .map(|(layout, devices)| format!("<code>{}</code> on {devices}", escaped(layout)))
        .collect();
    for (name, value) in [
        ("Layout", layouts.join(", ")),
        ("Symbols", format!("<code>{}</code>", escaped(&summary.alphabet))),
        ("Space", format!("{bits}; {:.0} are asked for", summary.floor)),
        (
            "Different ones",
            format!(
                "{}; {:.2} equal pairs are expected",
                summary.distinct, summary.expected_pairs
            ),
        ),
    ] {
        writeln!(out, "<tr><th scope=\"row\">{name}</th><td>{value}</td></tr>")?;
    }
    writeln!(
        out,
        "</table>\n<p>Specimens, from all over the file:</p>\n<ul class=\"specimens\">"
    )?;
    for specimen in &summary.specimens {
        writeln!(out, "<li><code>{}</code></li>", escaped(specimen))?;
    }
    writeln!(out, "</ul>")
}

const STYLE: &str = "
:root{color-scheme:light dark}
body{margin:0;font:16px/1.5 system-ui,sans-serif;background:Canvas;color:CanvasText}
main{max-width:44rem;margin:0 auto;padding:1rem}
h1{font-size:1.4rem;overflow-wrap:anywhere}h2{font-size:1.15rem;margin-top:2rem}h3{font-size:1rem;margin:.2rem 0}
.verdict{font-size:1.2rem;font-weight:700;padding:.6rem .8rem;border-radius:.4rem;color:#fff}
.verdict.pass{background:#17652f}.verdict.fail{background:#a11a1a}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.3rem .5rem .3rem 0;border-bottom:1px solid #8886;overflow-wrap:anywhere}
th{width:9.5rem;font-weight:600}
section{border-left:.35rem solid;padding:.2rem 0 .2rem .8rem;margin:.8rem 0}
section.pass{border-color:#2a8a4a}section.fail{border-color:#c62828}
section span{font-weight:400;font-size:.9rem}
.finding{margin:.6rem 0;overflow-wrap:anywhere}.finding p{margin:.1rem 0}
code{font-family:ui-monospace,monospace;overflow-wrap:anywhere}
.specimens{columns:2 12rem}
@media print{main{max-width:none}section,.finding,tr{break-inside:avoid}.verdict{color:#000;border:2px solid;background:none!important}}
";

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn markup_in_a_batch_stays_text() {
        assert_eq!(
            escaped("<script>\"a\"&'b'\u{202e}\u{7}"),
            "&lt;script&gt;&quot;a&quot;&amp;&#39;b&#39;\\u{202e}\\u{7}"
        );
    }
}
