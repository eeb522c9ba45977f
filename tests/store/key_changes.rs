//! The key page says where the log ended when it was written. What stands behind that place and does not name the key page was
//! written and never accepted, whole though it may be: a class can be erased after any failure, without another write to the log.

use crate::drivers;
use crate::support;

use bydesign::store::{AsyncStore, Change, Class, WriteError};
use drivers::{Pending, Shared, contents_now, poll_times};
use support::{Ecc, LABEL, Memory, Nor, Part, contents, format, mount, random, root_key};

const ALWAYS: usize = usize::MAX;
const PROGRAMS_AND_ERASES: u8 = 2 | 4;

fn now<T>(future: impl Future<Output = T>) -> T {
    poll_times(future, ALWAYS).expect("ends")
}

/// A store with two classes in which so many puts were made, up to and over the end of a page.
fn after_puts<P: Part>(pages: usize, puts: u8) -> P {
    let mut part = P::new(pages * 1024);
    let mut store = format(&mut part, 1);
    store
        .put_bytes(Class::Settings, "s", &[5; 30], &mut random(1))
        .expect("puts");
    for n in 0..puts {
        store
            .put_bytes(Class::User, "a", &[n; 60], &mut random(u64::from(n)))
            .expect("puts");
    }
    drop(store);
    part
}

enum Ends {
    /// Calls fail from this one on, so many, before or after they do their work.
    Failing { at: u64, calls: u64, after: bool },
    /// The future is dropped after so many polls.
    Dropped { polls: usize },
}

fn ends() -> impl Iterator<Item = Ends> {
    let failing = [false, true].into_iter().flat_map(|after| {
        (1..4).flat_map(move |calls| (0..16).map(move |at| Ends::Failing { at, calls, after }))
    });
    failing.chain((1..40).map(|polls| Ends::Dropped { polls }))
}

/// An operation that ends so, the first since the boot or not, an erasure of another class, and a boot: what the store showed before is what it shows then.
/// Gives whether the operation failed.
fn erase_after<P: Pending>(base: &P, end: &Ends, is_first: bool, is_transaction: bool) -> bool {
    let mut part = P::of_image(base.image());
    let (script, key) = (Shared::default(), root_key());
    let (mut source, mut slow) = (random(7), ALWAYS);
    let medium = part.pending(&script);
    let mut store = now(AsyncStore::mount(medium, Memory::new(), &key, LABEL)).expect("mounts");
    if !is_first {
        now(store.put_bytes(Class::User, "b", &[91; 60], &mut source)).expect("puts");
    }
    match *end {
        Ends::Failing { at, calls, after } => {
            script.borrow_mut().after = after;
            script.borrow_mut().fail(PROGRAMS_AND_ERASES, at, calls);
        }
        Ends::Dropped { polls } => slow = polls,
    }
    let changes = [
        Change::put_bytes(Class::User, "a", &[92; 60]),
        Change::put_bytes(Class::Settings, "t", &[93; 30]),
    ];
    let result: Option<Result<(), WriteError>> = if is_transaction {
        poll_times(store.commit(&changes, &mut source), slow)
    } else {
        poll_times(store.put_bytes(Class::User, "a", &[92; 60], &mut source), slow)
    };
    script.borrow_mut().kinds = 0;
    let mut shown = contents_now(&mut store).expect("reads");
    now(store.erase(Class::Settings, &mut source)).expect("erases");
    shown.retain(|(class, _), _| *class != 1);
    assert_eq!(contents_now(&mut store).expect("reads"), shown);
    drop(store);

    let mut store = mount(&mut part).expect("mounts after the erasure");
    assert_eq!(contents(&mut store), shown, "what had not been accepted counts");
    store
        .put_bytes(Class::User, "c", &[94; 20], &mut source)
        .expect("puts");
    let shown = contents(&mut store);
    drop(store);
    assert_eq!(contents(&mut mount(&mut part).expect("mounts again")), shown);
    !matches!(result, Some(Ok(())))
}

fn every_end<P: Pending>() {
    let mut failed = 0;
    for pages in [4, 6] {
        for puts in 0..12 {
            let base = after_puts::<P>(pages, puts);
            for end in ends() {
                for choice in 0..4 {
                    failed += u32::from(erase_after(&base, &end, choice & 1 > 0, choice & 2 > 0));
                }
            }
        }
    }
    assert!(failed > 1_000, "{failed} operations failed");
}

//= compliance/requirements.md#store-10
//= type=test
//# Erasing a class MUST destroy every copy of its key on the medium, so that no later dump opens its records, even with the root key.
#[test]
fn a_class_erased_after_any_failure_leaves_what_the_store_showed_on_overwritable_flash() {
    every_end::<Nor<4, 1024>>();
}

#[test]
fn a_class_erased_after_any_failure_leaves_what_the_store_showed_on_write_once_flash() {
    every_end::<Ecc<8, 1024>>();
}
