//! The data dictionary: what a product tells, why, how treated, for how long and to whom, made of the same declarations that the device was
//! built from. As text, as JSON, as a page for users, and as rows for a test laboratory.
//!
//! ```text
//!  hosts
//!  dictionary  (this file; feature `collector`)
//!  schema
//! ```

use core::fmt::{self, Write};
use std::string::ToString;

use super::noise::MicroEpsilon;
use super::schema::{Basis, ConsentClass, Declaration, Field, ReportSchema, Retention};
use super::shape::Shape;
use super::treatment::{How, Keeping};

/// Writes the dictionary as Markdown.
///
/// ```no_run
/// # use bydesign::telemetry::{Declaration, dictionary};
/// # fn example<Thermostat: Declaration>() -> Result<(), Box<dyn std::error::Error>> {
/// let mut text = String::new();
/// dictionary::markdown::<Thermostat>(&mut text)?;
/// std::fs::write("dictionary.md", text)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Those of the sink.
//= compliance/requirements.md#tele-12
//# The dictionary MUST name every declared field with its purpose, treatment, retention and recipient.
pub fn markdown<D: Declaration>(out: &mut impl Write) -> fmt::Result {
    writeln!(out, "# What \"{}\" tells\n", D::NAME)?;
    writeln!(
        out,
        "Version {} of the declaration. Nothing else leaves the device as telemetry.\n",
        D::VERSION
    )?;
    for class in D::CLASSES {
        writeln!(out, "## {}\n\n{}\n", class.name, Standing(class))?;
        for purpose in of_class::<D>(class) {
            writeln!(out, "- **{}**: {}", purpose.name, purpose.why)?;
        }
        for report in D::REPORTS
            .iter()
            .filter(|report| report.class.rules.number == class.rules.number)
        {
            writeln!(
                out,
                "\n### Report \"{}\", version {}\n",
                report.name, report.version
            )?;
            writeln!(
                out,
                "{} At most {} bytes.\n",
                sentence(report.about),
                report.max_bytes()
            )?;
            writeln!(
                out,
                "| what | why | what is sent of it | kept for | who receives it |"
            )?;
            writeln!(out, "| --- | --- | --- | --- | --- |")?;
            for field in report.fields {
                writeln!(
                    out,
                    "| `{}`: {} | {} | {} | {} | {} |",
                    field.name,
                    sentence(field.about),
                    field.purpose.name,
                    Sent(field),
                    Kept(field),
                    Receiver(field)
                )?;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Writes the dictionary as JSON: `{"product", "version", "classes": […], "reports": [{…, "fields": […]}]}`.
///
/// # Errors
///
/// Those of the sink.
pub fn json<D: Declaration>(out: &mut impl Write) -> fmt::Result {
    write!(
        out,
        "{{\n  \"product\": {},\n  \"version\": {},\n  \"classes\": [",
        Quoted(D::NAME),
        D::VERSION
    )?;
    for (at, class) in D::CLASSES.iter().enumerate() {
        let rules = &class.rules;
        write!(
            out,
            "{}\n    {{\n      \"number\": {},\n      \"name\": {},\n      \"basis\": \"{}\",\n      \"epochSeconds\": {},\n      \
             \"lifetimeMicroEpsilon\": {},\n      \"windowMicroEpsilon\": {},\n      \"windowSeconds\": {},\n      \
             \"reportsEachDay\": {},\n      \"keptOnDeviceDays\": {},\n      \"purposes\": [",
            comma(at),
            rules.number,
            Quoted(class.name),
            match rules.basis {
                Basis::OptIn => "opt-in",
                Basis::OptOut => "opt-out",
            },
            rules.epoch_seconds,
            rules.budget.lifetime,
            rules.budget.window,
            rules.budget.window_seconds,
            rules.queueing.each_day,
            rules.queueing.keep_days,
        )?;
        for (at, purpose) in of_class::<D>(class).enumerate() {
            write!(
                out,
                "{}\n        {{\"number\": {}, \"name\": {}, \"why\": {}}}",
                comma(at),
                purpose.number,
                Quoted(purpose.name),
                Quoted(purpose.why)
            )?;
        }
        write!(out, "\n      ]\n    }}")?;
    }
    write!(out, "\n  ],\n  \"reports\": [")?;
    for (at, report) in D::REPORTS.iter().enumerate() {
        json_report(out, at, report)?;
    }
    writeln!(out, "\n  ]\n}}")
}

fn json_report(out: &mut impl Write, at: usize, report: &ReportSchema) -> fmt::Result {
    write!(
        out,
        "{}\n    {{\n      \"number\": {},\n      \"name\": {},\n      \"version\": {},\n      \"about\": {},\n      \"class\": {},\n      \
         \"maxBytes\": {},\n      \"fields\": [",
        comma(at),
        report.number,
        Quoted(report.name),
        report.version,
        Quoted(&sentence(report.about).to_string()),
        report.class.rules.number,
        report.max_bytes()
    )?;
    for (at, field) in report.fields.iter().enumerate() {
        let (days, until_aggregated) = match field.retention {
            Retention::Days(days) => (days, false),
            Retention::UntilAggregated(days) => (days, true),
        };
        write!(
            out,
            "{}\n        {{\"number\": {at}, \"name\": {}, \"about\": {}, \"reading\": {}, \"purpose\": {}, \"sent\": {}, \
             \"microEpsilon\": {}, \"maxBytes\": {}, \"days\": {days}, \"untilAggregated\": {until_aggregated}, \
             \"recipient\": {}, \"role\": {}}}",
            comma(at),
            Quoted(field.name),
            Quoted(&sentence(field.about).to_string()),
            Quoted(field.reading),
            field.purpose.number,
            Quoted(&Sent(field).to_string()),
            field.effect.micro_epsilon,
            field.effect.shape.max_bytes(),
            Quoted(field.recipient.name),
            Quoted(field.recipient.role)
        )?;
    }
    write!(out, "\n      ]\n    }}")
}

/// Writes the dictionary as a page for users: one file, without scripts or anything from elsewhere.
///
/// # Errors
///
/// Those of the sink.
pub fn html<D: Declaration>(out: &mut impl Write) -> fmt::Result {
    writeln!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>What {name} tells</title>\n<style>\nbody {{ font: 1rem/1.5 sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}\n\
         table {{ border-collapse: collapse; width: 100% }}\nth, td {{ border-bottom: 1px solid #aaa; padding: .4rem; text-align: left; vertical-align: top }}\n\
         </style>\n<h1>What {name} tells</h1>\n<p>Version {} of the declaration. Nothing else leaves the device as telemetry.</p>",
        D::VERSION,
        name = Escaped(D::NAME)
    )?;
    for class in D::CLASSES {
        writeln!(
            out,
            "<h2>{}</h2>\n<p>{}</p>\n<ul>",
            Escaped(class.name),
            Escaped(&Standing(class).to_string())
        )?;
        for purpose in of_class::<D>(class) {
            writeln!(
                out,
                "<li><strong>{}</strong>: {}</li>",
                Escaped(purpose.name),
                Escaped(purpose.why)
            )?;
        }
        writeln!(out, "</ul>")?;
        for report in D::REPORTS
            .iter()
            .filter(|report| report.class.rules.number == class.rules.number)
        {
            writeln!(
                out,
                "<h3>{}</h3>\n<p>{} At most {} bytes.</p>\n<table>\n<tr><th>What<th>Why<th>What is sent of it<th>Kept for<th>Who receives it</tr>",
                Escaped(report.name),
                Escaped(&sentence(report.about).to_string()),
                report.max_bytes()
            )?;
            for field in report.fields {
                writeln!(
                    out,
                    "<tr><td>{}<td>{}<td>{}<td>{}<td>{}</tr>",
                    Escaped(&sentence(field.about).to_string()),
                    Escaped(field.purpose.why),
                    Escaped(&Sent(field).to_string()),
                    Escaped(&Kept(field).to_string()),
                    Escaped(&Receiver(field).to_string())
                )?;
            }
            writeln!(out, "</table>")?;
        }
    }
    writeln!(out, "</html>")
}

/// Writes rows for the laboratory that tests after ETSI TS 103 701, as CSV: what the extra information for testing on telemetry and on personal
/// data asks for (provisions 6-1, 6-5 and kin).
///
/// # Errors
///
/// Those of the sink.
pub fn ixit<D: Declaration>(out: &mut impl Write) -> fmt::Result {
    writeln!(
        out,
        "id,data,purpose,consent,treatment,security of the treatment,retention,processed by,provisions"
    )?;
    for report in D::REPORTS {
        for (at, field) in report.fields.iter().enumerate() {
            let provisions = match (field.effect.how, field.effect.micro_epsilon) {
                (_, 1..) => "6-1 6-4 6-5 6-6 6-8",
                (How::Counts | How::Range, _) => "6-1 6-4 6-5 6-6 6-7",
                _ => "6-1 6-4 6-5 6-6",
            };
            writeln!(
                out,
                "{},{},{},{},{},{},{},{},{provisions}",
                Cell(&format_args!("{}-{at}", report.name)),
                Cell(&sentence(field.about)),
                Cell(&field.purpose.why),
                Cell(&Standing(&report.class)),
                Cell(&Sent(field)),
                Cell(&Bound(field)),
                Cell(&Kept(field)),
                Cell(&Receiver(field)),
            )?;
        }
    }
    Ok(())
}

fn of_class<D: Declaration>(class: &ConsentClass) -> impl Iterator<Item = &'static super::schema::Purpose> {
    let number = class.rules.number;
    D::PURPOSES
        .iter()
        .filter(move |purpose| purpose.class.rules.number == number)
}

fn comma(at: usize) -> &'static str {
    if at == 0 { "" } else { "," }
}

/// A documentation comment as one line, without the space that each of its lines begins with.
struct Sentence(&'static str);

fn sentence(about: &'static str) -> Sentence {
    Sentence(about)
}

impl fmt::Display for Sentence {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, word) in self.0.split_whitespace().enumerate() {
            write!(to, "{}{word}", if at == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

struct Standing<'a>(&'a ConsentClass);

impl fmt::Display for Standing<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = &self.0.rules;
        match rules.basis {
            Basis::OptIn => write!(to, "Sent only if you agree; off until then. ")?,
            Basis::OptOut => write!(to, "Sent unless you object. ")?,
        }
        write!(
            to,
            "At most {} reports a day, each held back for a random time of up to {} and dropped after {} days unsent. ",
            rules.queueing.each_day,
            Duration(rules.queueing.jitter_seconds),
            rules.queueing.keep_days
        )?;
        if rules.budget.lifetime > 0 {
            write!(
                to,
                "All randomised answers together: epsilon {} in the life of the device, {} in {}. ",
                MicroEpsilon::from_micros(rules.budget.lifetime),
                MicroEpsilon::from_micros(rules.budget.window),
                Duration(rules.budget.window_seconds)
            )?;
        }
        write!(
            to,
            "Pseudonyms and remembered answers are replaced after {}. If you withdraw, what waits is erased.",
            Duration(rules.epoch_seconds)
        )
    }
}

struct Duration(u32);

impl fmt::Display for Duration {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = match self.0 {
            seconds if seconds >= 86_400 && seconds % 86_400 == 0 => (seconds / 86_400, "day"),
            seconds if seconds >= 3600 && seconds % 3600 == 0 => (seconds / 3600, "hour"),
            seconds if seconds >= 60 && seconds % 60 == 0 => (seconds / 60, "minute"),
            seconds => (seconds, "second"),
        };
        write!(to, "{number} {unit}{}", if number == 1 { "" } else { "s" })
    }
}

struct Sent<'a>(&'a Field);

impl fmt::Display for Sent<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let effect = &self.0.effect;
        let steps = |to: &mut fmt::Formatter<'_>| match effect.shape {
            Shape::Steps { low, step, last } | Shape::Pair { low, step, last } => {
                let high = i128::from(low) + i128::from(step) * i128::from(last);
                write!(to, "in steps of {step} from {low} to {high}")
            }
            Shape::Counts { buckets, step, last } => {
                write!(
                    to,
                    "{buckets} counts, in steps of {step} up to {}",
                    u128::from(step) * u128::from(last)
                )
            }
            Shape::Choice { count } => write!(to, "one of {count} choices"),
            Shape::Bits { count } => write!(to, "a bit for each of {count} choices"),
            _ => write!(to, "yes or no"),
        };
        match effect.how {
            How::Dropped => write!(to, "nothing: it is read and never sent")?,
            How::Clamped | How::Rounded => {
                write!(to, "the nearest value ")?;
                steps(to)?;
            }
            How::Buckets(edges) => {
                write!(
                    to,
                    "in which of {} ranges it lies, which begin at ",
                    edges.len() + 1
                )?;
                for (at, edge) in edges.iter().enumerate() {
                    write!(to, "{}{edge}", if at == 0 { "" } else { ", " })?;
                }
            }
            How::AtLeast(limit) => write!(to, "whether it is {limit} or more")?,
            How::CoarseTime(seconds) => write!(to, "the time to {}", Duration(seconds))?,
            How::Grid(cell) => write!(
                to,
                "the cell of a grid of {}.{:02} degrees",
                cell / 10_000_000,
                cell / 100_000 % 100
            )?,
            How::Geohash(letters) => write!(to, "the region: {letters} letters of the geohash")?,
            How::OneOf | How::Counts => steps(to)?,
            How::Range => {
                write!(to, "the smallest and the largest of the window, each ")?;
                steps(to)?;
            }
            How::Pseudonym => write!(to, "a random name, which is replaced with the epoch")?,
            How::Noise(mechanism) => {
                write!(
                    to,
                    "an answer that is wrong on purpose with a known chance ({mechanism}): "
                )?;
                steps(to)?;
                write!(
                    to,
                    "; epsilon {}",
                    MicroEpsilon::from_micros(effect.micro_epsilon)
                )?;
                write!(
                    to,
                    "{}",
                    match effect.keeping {
                        Keeping::Fresh => " for each report",
                        Keeping::Epoch => " for all reports of an epoch, which repeat one answer",
                        Keeping::Value =>
                            " for all reports of an epoch, which repeat one answer for each value",
                    }
                )?;
            }
        }
        if effect.one_in > 1 {
            write!(to, "; in one report of {}", effect.one_in)?;
        }
        Ok(())
    }
}

/// What bounds what a recipient learns of the reading.
struct Bound<'a>(&'a Field);

impl fmt::Display for Bound<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.effect.micro_epsilon {
            0 => match self.0.effect.shape.max_bytes() {
                1 => write!(to, "at most 1 byte"),
                bytes => write!(to, "at most {bytes} bytes"),
            },
            epsilon => write!(
                to,
                "no reading is likelier than another by more than a factor of exp({})",
                MicroEpsilon::from_micros(epsilon)
            ),
        }
    }
}

struct Kept<'a>(&'a Field);

impl fmt::Display for Kept<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.retention {
            Retention::Days(days) => write!(to, "{days} days"),
            Retention::UntilAggregated(days) => {
                write!(to, "until it is part of a total, {days} days at most")
            }
        }
    }
}

struct Receiver<'a>(&'a Field);

impl fmt::Display for Receiver<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} ({})", self.0.recipient.name, self.0.recipient.role)
    }
}

/// A JSON string.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_char('"')?;
        for letter in self.0.chars() {
            match letter {
                '"' | '\\' => write!(to, "\\{letter}")?,
                control if control < ' ' => write!(to, "\\u{:04x}", u32::from(control))?,
                other => to.write_char(other)?,
            }
        }
        to.write_char('"')
    }
}

/// Text in HTML.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '<' => to.write_str("&lt;")?,
                '>' => to.write_str("&gt;")?,
                '&' => to.write_str("&amp;")?,
                '"' => to.write_str("&quot;")?,
                other => to.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// A cell of a CSV file (RFC 4180).
struct Cell<'a>(&'a dyn fmt::Display);

impl fmt::Display for Cell<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = std::format!("{}", self.0).replace('"', "\"\"");
        write!(to, "\"{text}\"")
    }
}
