//! An image opened with the root key: what each record is to the store, which classes there are, which items.
//!
//! ```text
//!  inspect
//!  opened   (this file)
//!  keyed · page · heap · copy · layout
//!  mount · salvage · log
//! ```
//!
//! The store is mounted in a copy, because a mount finishes what was interrupted; then every record is judged where it stands in the
//! image itself.

use std::collections::BTreeSet;
use std::string::String;
use std::vec::Vec;

use zeroize::Zeroize;

use super::Layout;
use super::copy::Over;
use super::heap::Heap;
use super::keyed::Keyed;
use super::page::{self, Page};
use crate::flash::Medium;
use crate::secret::RootKey;
use crate::store::blocking::run_unwiped;
use crate::store::class::DataClass;
use crate::store::error::MountError;
use crate::store::log::Log;
use crate::store::memory::{Entry, Parts};
use crate::store::pages::{HasPages, Pages};
use crate::store::salvage::{Salvage, best_key_page};

/// An image as the root key shows it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Opened {
    /// Why the store does not mount, if it does not. What is live is not known then, and the items are those of a salvage.
    pub refusal: Option<MountError>,
    /// The version of the current key page.
    pub key_version: u32,
    /// The slots of the class keys, in order.
    pub classes: Vec<ClassKeySlot>,
    /// The items, by slot and name.
    pub items: Vec<Item>,
    /// What stands where.
    pub pages: Vec<Page>,
}

/// One slot of the key page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClassKeySlot {
    /// Its number.
    pub slot: u8,
    /// The class and user whose key it holds; `None` if it is free, or does not open.
    pub data: Option<DataClass>,
    /// The record of the key opens.
    pub opens: bool,
    /// The generation of the key: one more with each erasure.
    pub generation: u32,
    /// Page generation and offset before which records of the slot are dead.
    pub since: (u32, u32),
}

/// An item, without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Item {
    /// Its class and user.
    pub data: DataClass,
    /// Its name.
    pub name: String,
    /// Bytes of its value.
    pub value_len: usize,
    /// Where its record starts, if the store mounts.
    pub address: Option<u32>,
    /// It is written once.
    pub is_fixed: bool,
}

/// Why a value is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShowError {
    /// The store does not open.
    #[error(transparent)]
    Mount(#[from] MountError),
    /// It holds no such item.
    #[error("the store holds no such item")]
    NoSuchItem,
    /// Its record, at this byte address, does not open.
    #[error("damage at byte {0:#x}")]
    Damaged(u32),
}

pub(super) fn open<M: Over>(
    image: &[u8],
    layout: Layout,
    root_key: &RootKey,
    label: &str,
) -> Result<Opened, MountError> {
    let mut heap = Heap::for_image(image, layout);
    let (mut log, refusal, lost) = match mount::<M>(image, layout, root_key, label, &mut heap) {
        Ok(log) => (log, None, BTreeSet::new()),
        Err(refusal) => {
            let (log, lost) =
                keys_alone::<M>(image, layout, root_key, label, &mut heap).map_err(|_| refusal)?;
            (log, Some(refusal), lost)
        }
    };
    // What the mount finished was finished in its copy.
    log.pages.medium = M::over(image);
    let mut parts = heap.parts();
    let live: BTreeSet<u32> = parts.index.iter().map(Entry::address).collect();
    let pages = {
        let mut judge = Keyed::new(&mut log, &mut parts, refusal.is_none().then_some(&live));
        page::pages(image, layout, &mut judge)
    };
    let classes = (0..)
        .zip(parts.slots.used())
        .map(|(slot, class)| ClassKeySlot {
            slot,
            data: class.data,
            opens: !lost.contains(&slot),
            generation: class.generation,
            since: (class.since.generation, class.since.offset),
        })
        .collect();
    let mut items = match refusal {
        None => items(&mut log, &mut parts),
        Some(_) => salvaged_items::<M>(image, layout, root_key, label),
    };
    items.sort_by_key(|item| (item.data.code(), item.data.user_id().0, item.name.clone()));
    Ok(Opened {
        refusal,
        key_version: log.key_page.payload.version,
        classes,
        items,
        pages,
    })
}

pub(super) fn show<M: Over>(
    image: &[u8],
    layout: Layout,
    root_key: &RootKey,
    label: &str,
    data: DataClass,
    name: &str,
    mut each: impl FnMut(&[u8]),
) -> Result<(), ShowError> {
    let mut heap = Heap::for_image(image, layout);
    let mut is_shown = false;
    match mount::<M>(image, layout, root_key, label, &mut heap) {
        Ok(mut log) => {
            let Parts { index, slots, buffer } = heap.parts();
            let slot = slots.find(data).ok_or(ShowError::NoSuchItem)?;
            let found = run_unwiped(log.find(&index, &slots, slot, name.as_bytes(), buffer));
            let found = found.map_err(|fault| ShowError::Mount(fault.into()))?;
            let (_, opened) = found.ok_or(ShowError::NoSuchItem)?;
            each(buffer.get(opened.value).unwrap_or_default());
            is_shown = true;
        }
        Err(refusal) => {
            let shown = salvage::<M>(image, layout, root_key, label, |found| {
                if let Salvage::Item {
                    data: of,
                    name: called,
                    value,
                    ..
                } = found
                    && (of, called) == (data, name)
                {
                    each(value);
                    is_shown = true;
                }
            });
            shown.map_err(|_| refusal)?;
        }
    }
    if is_shown {
        Ok(())
    } else {
        Err(ShowError::NoSuchItem)
    }
}

/// Mounts a copy of the image.
fn mount<M: Over>(
    image: &[u8],
    layout: Layout,
    root_key: &RootKey,
    label: &str,
    heap: &mut Heap,
) -> Result<Log<M>, MountError> {
    loop {
        let pages = Pages::new(M::over(image), layout.geometry());
        let mut log = Log::over(pages.pages(label)?);
        let mounted = run_unwiped(log.mount(root_key, label, &mut heap.parts()));
        heap.parts().buffer.zeroize();
        if mounted.err() != Some(MountError::IndexFull) || !heap.grow() {
            return mounted.map(|()| log);
        }
    }
}

/// The keys of a store that does not mount, and the slots whose key does not open.
fn keys_alone<M: Over>(
    image: &[u8],
    layout: Layout,
    root_key: &RootKey,
    label: &str,
    heap: &mut Heap,
) -> Result<(Log<M>, BTreeSet<u8>), MountError> {
    let mut pages = Pages::new(M::over(image), layout.geometry());
    let (wrapping, key_page) = run_unwiped(best_key_page(&mut pages, root_key, label))?;
    let mut parts = heap.parts();
    let mut log = Log::over(pages);
    (log.keys.wrapping, log.key_page) = (wrapping, key_page);
    let count = run_unwiped(log.open_key_page(&mut parts))?;
    let lost = run_unwiped(log.load_readable_keys(&mut parts.slots, count))?.collect();
    Ok((log, lost))
}

fn items<M: Medium>(log: &mut Log<M>, parts: &mut Parts<'_>) -> Vec<Item> {
    let Parts { index, slots, buffer } = parts;
    let mut items = Vec::new();
    for entry in index.iter() {
        let slot = slots.get(entry.slot());
        let opened = run_unwiped(log.read_value(entry.address(), entry.size(), slot, buffer));
        if let (Ok(opened), Some(data)) = (opened, slot.and_then(|slot| slot.data)) {
            let name = buffer.get(opened.name).unwrap_or_default();
            items.push(Item {
                data,
                name: String::from_utf8_lossy(name).into_owned(),
                value_len: opened.value.len(),
                address: Some(entry.address().saturating_mul(4)),
                is_fixed: entry.is_fixed(),
            });
        }
        buffer.zeroize();
    }
    items
}

fn salvaged_items<M: Over>(image: &[u8], layout: Layout, root_key: &RootKey, label: &str) -> Vec<Item> {
    let mut items = Vec::new();
    let _ = salvage::<M>(image, layout, root_key, label, |found| {
        if let Salvage::Item {
            data, name, value, ..
        } = found
        {
            items.push(Item {
                data,
                name: name.into(),
                value_len: value.len(),
                address: None,
                is_fixed: false,
            });
        }
    });
    items
}

fn salvage<M: Over>(
    image: &[u8],
    layout: Layout,
    root_key: &RootKey,
    label: &str,
    mut each: impl FnMut(Salvage<'_>),
) -> Result<(), MountError> {
    let mut heap = Heap::for_image(image, layout);
    heap.grow();
    let pages = Pages::new(M::over(image), layout.geometry());
    run_unwiped(Log::salvage(pages, root_key, label, &mut heap.parts(), &mut each)).map(|_| ())
}
