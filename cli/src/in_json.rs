//! Layouts, pages and totals for machines.
//!
//! ```text
//!  map · inspect
//!  in_json  (this file)
//!  area · in_words · bydesign::store::inspect
//! ```

use bydesign::store::inspect::{Layout, Page, Piece, Role, What};
use serde_json::{Map as Object, Value, json};

use crate::area::{Area, Totals};
use crate::expected::to_hexadecimal;
use crate::in_words::medium_name;

pub(crate) fn layout(layout: Layout) -> Value {
    json!({
        "medium": medium_name(layout.medium),
        "word": layout.word,
        "page_size": layout.page_size,
        "pages": layout.pages,
        "features": layout.features,
        "store_id": layout.store_id.map(|id| to_hexadecimal(&id).to_string()),
    })
}

pub(crate) fn page(page: &Page) -> Value {
    let role = match page.role {
        Role::Keys => "keys",
        Role::FormerKeys => "former keys",
        Role::Log => "log",
        Role::Dead => "dead",
        Role::Free => "free",
        Role::LeftOut => "left out",
        _ => "unjudged",
    };
    json!({
        "number": page.number,
        "address": page.address,
        "erases": page.erases,
        "role": role,
        "generation": page.generation,
        "totals": totals(&Totals::of(&page.pieces)),
        "pieces": page.pieces.iter().map(piece).collect::<Vec<_>>(),
    })
}

fn piece(piece: &Piece) -> Value {
    let mut object = Object::new();
    object.insert("from".into(), piece.from.into());
    object.insert("to".into(), piece.to.into());
    object.insert("area".into(), Area::of(piece.what).short().into());
    if let What::Record { kind, slot, .. } = piece.what {
        object.insert("record".into(), kind.to_string().into());
        object.insert("slot".into(), slot.into());
    }
    object.into()
}

pub(crate) fn totals(totals: &Totals) -> Value {
    totals
        .iter()
        .map(|(area, bytes)| (area.short().to_owned(), Value::from(bytes)))
        .collect::<Object<_, _>>()
        .into()
}
