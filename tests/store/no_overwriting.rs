//! Overwritable flash of which a page takes no zeros any more: writes say so, and nothing else is hindered.

use crate::forensics;
use crate::support;

use bydesign::flash::simulator::WornOut;
use bydesign::store::{Change, Class, DataClass, Salvage, Store, UserId, WriteError};
use support::{LABEL, Memory, Model, Nor, Part as _, ROOT, contents, format, mount, random, root_key};

const PAGE: usize = 1024;
const CAPACITY: usize = 10 * PAGE;
const OLD: &[u8] = b"the value that is superseded";
const NEW: &[u8] = b"the value that supersedes it";
const USER: UserId = UserId(7);

type Flash = Nor<4, PAGE>;
type Sealed<'a> = Store<<Flash as support::Part>::Medium<'a>, Memory>;

/// What supersedes the value that cannot be overwritten.
#[derive(Clone, Copy, Debug)]
enum Update {
    Put,
    Remove,
    Commit,
}

impl Update {
    const ALL: [Self; 3] = [Self::Put, Self::Remove, Self::Commit];

    fn run(self, store: &mut Sealed<'_>) -> Result<(), WriteError> {
        let random = &mut random(3);
        match self {
            Self::Put => store.put_bytes(Class::User, "worn", NEW, random),
            Self::Remove => store.remove_bytes(Class::User, "worn", random).map(drop),
            Self::Commit => store.commit(&[Change::put_bytes(Class::User, "worn", NEW)], random),
        }
    }
}

/// A value that was updated and could not be overwritten, because its page takes no zeros any more; the page, and what the store holds.
fn pending_beside(others: Class, update: Update) -> (Flash, u32, Model) {
    let mut part = Flash::new(CAPACITY);
    let mut store = format(&mut part, 1);
    store
        .put_bytes(DataClass::user(USER), "user", &[7; 40], &mut random(1))
        .unwrap();
    store.put_bytes(Class::User, "worn", OLD, &mut random(1)).unwrap();
    // Enough for the head to leave the page.
    for number in 0..16 {
        let name = format!("other-{number}");
        store
            .put_bytes(others, &name, &[number; 90], &mut random(2))
            .unwrap();
    }
    let mut model = contents(&mut store);
    drop(store);
    let page = holding(&part);
    wear(&mut part, page, Some(WornOut::DoesNotProgram));
    let mut store = mount(&mut part).expect("nothing is to be finished");
    assert_eq!(update.run(&mut store), Err(WriteError::Unkept), "{update:?}");
    let at = model.keys().find(|(_, name)| name == "worn").unwrap().clone();
    model.remove(&at);
    if !matches!(update, Update::Remove) {
        model.insert(at, NEW.to_vec());
    }
    assert_eq!(
        contents(&mut store),
        model,
        "{update:?}: what was written is read"
    );
    refuses_writes(&mut store);
    drop(store);
    (part, page, model)
}

fn pending(update: Update) -> (Flash, u32, Model) {
    pending_beside(Class::Settings, update)
}

/// The page of the value: an update changes it there first, and in the head.
fn holding(part: &Flash) -> u32 {
    let mut updated = part.clone();
    Update::Put.run(&mut mount(&mut updated).unwrap()).unwrap();
    let mut changed = (0..CAPACITY).filter(|&at| part.image()[at] != updated.image()[at]);
    let (first, last) = (
        changed.next().unwrap() / PAGE,
        changed.next_back().unwrap() / PAGE,
    );
    assert!(first < last, "the head has left the page");
    u32::try_from(first).unwrap()
}

fn wear(part: &mut Flash, page: u32, how: Option<WornOut>) {
    part.wear_out(page * 1024, how);
}

fn refuses_writes(store: &mut Sealed<'_>) {
    let before = contents(store);
    for update in Update::ALL {
        assert_eq!(update.run(store), Err(WriteError::Unkept), "{update:?}");
    }
    let put = store.put_bytes(Class::Settings, "another", &[1], &mut random(4));
    assert_eq!(put, Err(WriteError::Unkept));
    assert_eq!(store.maintain(1, &mut random(4)), Err(WriteError::Unkept));
    assert_eq!(contents(store), before, "a write that is refused changes nothing");
}

/// Whether a finder with the root key reads the superseded value.
fn is_left(part: &Flash) -> bool {
    forensics::scan(part.image(), &ROOT, LABEL.as_bytes()).holds_value(OLD)
}

//= compliance/requirements.md#store-35
//= type=test
//# What cannot be overwritten MUST hinder no mount, no read and no class erasure, and MUST hinder every write until it is overwritten or its class is erased.
#[test]
fn what_cannot_be_overwritten_hinders_no_mount_and_no_read_and_every_write() {
    for update in Update::ALL {
        let (mut part, _, model) = pending(update);
        for start in 0..3 {
            let mut store = mount(&mut part).unwrap_or_else(|error| panic!("{update:?}, {start}: {error}"));
            assert_eq!(contents(&mut store), model, "{update:?}, {start}");
            let mut out = [0; 90];
            let read = store.get_bytes(Class::Settings, "other-3", &mut out);
            assert_eq!(read, Ok(Some(90)), "{update:?}, {start}");
            refuses_writes(&mut store);
            drop(store);
            assert!(
                is_left(&part),
                "{update:?}, {start}: else there is nothing to refuse for"
            );
        }
    }
}

#[test]
fn what_could_not_be_overwritten_is_as_soon_as_the_page_takes_zeros_again() {
    for update in Update::ALL {
        for mounted_between in [false, true] {
            let (mut part, page, model) = pending(update);
            assert!(is_left(&part));
            if mounted_between {
                wear(&mut part, page, None);
                drop(mount(&mut part).unwrap());
                assert!(!is_left(&part), "{update:?}: the mount finishes it");
            }
            wear(&mut part, page, None);
            let mut store = mount(&mut part).unwrap();
            store
                .put_bytes(Class::Settings, "another", &[1], &mut random(5))
                .unwrap();
            store
                .remove_bytes(Class::Settings, "another", &mut random(5))
                .unwrap();
            assert_eq!(contents(&mut store), model, "{update:?}");
            drop(store);
            assert!(!is_left(&part), "{update:?}");
        }
    }
}

//= compliance/requirements.md#store-35
//= type=test
//# What cannot be overwritten MUST hinder no mount, no read and no class erasure, and MUST hinder every write until it is overwritten or its class is erased.
#[test]
fn erasing_the_class_of_what_cannot_be_overwritten_makes_it_unreadable_and_writes_go_on() {
    for update in Update::ALL {
        for mounted_between in [false, true] {
            let (mut part, _, _) = pending_beside(Class::User, update);
            let mut store = mount(&mut part).unwrap();
            store.erase(Class::User, &mut random(6)).unwrap();
            if mounted_between {
                drop(store);
                store = mount(&mut part).unwrap();
            }
            store
                .put_bytes(Class::User, "worn", b"of a new owner", &mut random(7))
                .unwrap();
            for number in 0..200_u8 {
                let value = [number; 60];
                store
                    .put_bytes(Class::Settings, "often", &value, &mut random(number.into()))
                    .unwrap();
            }
            let left = contents(&mut store);
            assert_eq!(left.len(), 2, "{update:?}: {left:?}");
            assert_eq!(
                store.figures().left_out_pages,
                1,
                "{update:?}: when it was to be used again"
            );
            drop(store);
            assert!(!is_left(&part), "{update:?}");
            mount(&mut part).unwrap_or_else(|error| panic!("{update:?}: {error}"));
        }
    }
}

//= compliance/requirements.md#store-35
//= type=test
//# What cannot be overwritten MUST hinder no mount, no read and no class erasure, and MUST hinder every write until it is overwritten or its class is erased.
#[test]
fn another_class_and_the_root_key_can_be_changed_while_something_is_to_be_overwritten() {
    for update in Update::ALL {
        let (mut part, page, mut model) = pending(update);
        let mut store = mount(&mut part).unwrap();
        store.erase(Class::Settings, &mut random(6)).unwrap();
        store.change_root_key(&root_key(), &mut random(6)).unwrap();
        model.retain(|(number, _), _| support::class(*number) != Class::Settings.into());
        assert_eq!(contents(&mut store), model, "{update:?}");
        refuses_writes(&mut store);
        drop(store);
        let mut store = mount(&mut part).unwrap_or_else(|error| panic!("{update:?}: {error}"));
        assert_eq!(contents(&mut store), model, "{update:?}");
        refuses_writes(&mut store);
        drop(store);
        assert!(is_left(&part), "{update:?}");
        wear(&mut part, page, None);
        let mut store = mount(&mut part).unwrap();
        store
            .put_bytes(Class::User, "next", &[1], &mut random(7))
            .expect("it is overwritten now");
        drop(store);
        assert!(!is_left(&part), "{update:?}: not forgotten");
    }
}

#[test]
fn a_salvage_shows_what_a_mount_does_while_something_is_to_be_overwritten() {
    for update in Update::ALL {
        let (mut part, _, model) = pending(update);
        let mut found = Model::new();
        let salvaged = Store::salvage(
            part.medium(),
            Memory::new(),
            &root_key(),
            LABEL,
            |piece| match piece {
                Salvage::Item {
                    data,
                    name,
                    value,
                    is_latest: true,
                } => {
                    let number = (0..5).find(|&number| support::class(number) == data).unwrap();
                    found.insert((number, name.to_owned()), value.to_vec());
                }
                other => assert!(matches!(other, Salvage::Item { .. }), "{update:?}: {other:?}"),
            },
        );
        assert!(salvaged.is_ok(), "{update:?}: {salvaged:?}");
        assert_eq!(found, model, "{update:?}");
    }
}

#[test]
fn a_part_that_takes_no_writes_at_all_is_mounted_and_read() {
    let mut part = Flash::new(CAPACITY);
    let mut store = format(&mut part, 1);
    for number in 0..40_u8 {
        let name = format!("item-{}", number % 9);
        store
            .put_bytes(Class::Settings, &name, &[number; 50], &mut random(2))
            .unwrap();
    }
    let model = contents(&mut store);
    drop(store);
    for page in 0..10 {
        part.wear_out(page * 1024, Some(WornOut::DoesNotProgram));
    }
    let image = part.image().to_vec();
    let mut store = mount(&mut part).unwrap();
    assert_eq!(contents(&mut store), model);
    drop(store);
    assert!(part.image() == image, "nothing was written");
    let mut store = mount(&mut part).unwrap();
    let put = store.put_bytes(Class::Settings, "item-1", &[1], &mut random(3));
    assert_eq!(put, Err(WriteError::Unkept));
    assert_eq!(contents(&mut store), model);
}

/// What may be done while something is to be overwritten, and is cut short.
const CHANGES: [fn(&mut Sealed<'_>) -> bool; 4] = [
    |store| store.erase(Class::User, &mut random(6)).is_ok(),
    |store| store.erase(Class::Settings, &mut random(6)).is_ok(),
    |store| store.change_root_key(&root_key(), &mut random(6)).is_ok(),
    |store| Update::Put.run(store).is_ok(),
];

#[test]
fn a_cut_at_any_event_while_something_is_to_be_overwritten_leaves_the_old_state_or_the_new_one() {
    let mut cuts = 0;
    for update in Update::ALL {
        let (base, page, before) = pending(update);
        for (number, change) in CHANGES.into_iter().enumerate() {
            let (events, after) = {
                let mut part = base.clone();
                let begun = part.events();
                let mut store = mount(&mut part).unwrap();
                change(&mut store);
                let after = contents(&mut store);
                drop(store);
                (part.events() - begun, after)
            };
            for tear in support::tears::<Flash>() {
                for cut in (0..events).step_by(5) {
                    let context = format!("{update:?}, change {number}, {tear:?}, cut at {cut} of {events}");
                    let mut part = base.clone();
                    part.set_tear(tear.0, tear.1, cut);
                    part.cut_after(cut);
                    if let Ok(mut store) = mount(&mut part) {
                        change(&mut store);
                    }
                    assert!(part.is_off(), "{context}: power goes");
                    part.power_on();
                    cuts += 1;
                    let mut store = mount(&mut part).unwrap_or_else(|error| panic!("{context}: {error}"));
                    let now = contents(&mut store);
                    assert!(now == before || now == after, "{context}: a third state");
                    drop(store);

                    // Well again, nothing of it is left, and all goes on.
                    wear(&mut part, page, None);
                    let mut store = mount(&mut part).unwrap_or_else(|error| panic!("{context}: {error}"));
                    assert_eq!(contents(&mut store), now, "{context}");
                    store
                        .put_bytes(Class::Identity, "next", &[1], &mut random(8))
                        .unwrap_or_else(|error| panic!("{context}: {error}"));
                    drop(store);
                    assert!(!is_left(&part), "{context}: the superseded value is left");
                    mount(&mut part).unwrap_or_else(|error| panic!("{context}: {error}"));
                }
            }
        }
    }
    assert!(cuts > 5_000, "{cuts}");
    println!("{cuts} cuts");
}
