//! Guidelines by primitives: in each cell, how many requirements of the primitive serve the guideline.
//!
//! ```text
//!  html
//!  matrix   (this file)
//! ```

use std::io::{self, Write};

use bydesign_mapping::Mapping;

use super::key;
use crate::in_html::escaped;

pub(super) fn write(mapping: &Mapping, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "<section id=\"matrix\" aria-labelledby=\"matrix-title\">\n<h2 id=\"matrix-title\">Guidelines by primitives</h2>\n\
         <p>A number is that of the requirements by which a primitive serves a guideline. Choosing it shows them.</p>\n\
         <div class=\"scroll\" role=\"region\" aria-labelledby=\"matrix-title\" tabindex=\"0\">\n<table aria-labelledby=\"matrix-title\">\n<thead><tr><th scope=\"col\">Guideline</th>\
         <th scope=\"col\">The library</th>"
    )?;
    for primitive in &mapping.primitives {
        write!(
            out,
            "<th scope=\"col\" class=\"turned\"><abbr title=\"{}\">{}</abbr></th>",
            escaped(&primitive.title),
            escaped(&primitive.id)
        )?;
    }
    writeln!(out, "</tr></thead>\n<tbody>")?;
    for guideline in &mapping.guidelines {
        write!(
            out,
            "<tr><th scope=\"row\"><a href=\"#guideline-{number}\">{number} {}</a></th><td><span class=\"decision {}\">{}</span></td>",
            escaped(&guideline.title),
            key(guideline.decision),
            guideline.decision.in_words(),
            number = guideline.number
        )?;
        for primitive in &mapping.primitives {
            let count = mapping
                .requirements_of_guideline(guideline.number)
                .filter(|requirement| primitive.requirements.contains(&requirement.id))
                .count();
            if count == 0 {
                write!(
                    out,
                    "<td class=\"number\"><span aria-label=\"none\">·</span></td>"
                )?;
            } else {
                let plural = if count == 1 { "" } else { "s" };
                write!(
                    out,
                    "<td class=\"number\"><button type=\"button\" data-guideline=\"{number}\" data-primitive=\"{id}\" \
                     aria-label=\"Guideline {number}, {id}: {count} requirement{plural}\">{count}</button></td>",
                    number = guideline.number,
                    id = escaped(&primitive.id)
                )?;
            }
        }
        writeln!(out, "</tr>")?;
    }
    writeln!(out, "</tbody>\n</table>\n</div>\n</section>")
}
