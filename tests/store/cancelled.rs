//! Futures that are dropped at every await of every operation: the store and its nonces stay sound, in the same instance and
//! after the next start.

use crate::drivers;
use crate::support;

use bydesign::crypto::ledger;
use bydesign::flash::Medium;
use bydesign::secret::RootKey;
use bydesign::store::{
    AnchorPolicy, AsyncStore, Change, Class, CodecError, DataClass, Key, Store, Stored, UserId,
};
use drivers::{Pending, Shared, contents_now, poll_times};
use support::operation::{Outcome, put};
use support::register::Register;
use support::{Ecc, LABEL, Memory, Model, Nor, Part, contents, format, mount, random, root_key};

const ALWAYS: usize = usize::MAX;

const EARLIER: Key<u8> = Key::new("key-1", Class::Settings);
const PRESENT: Key<u16> = Key::new("key-1", Class::Settings).version(1).migrate(wider);

fn wider(_: u8, bytes: &[u8]) -> Result<u16, CodecError> {
    Ok(u16::from(u8::decode(bytes)?))
}

/// What is given up half-way. Each takes so many polls and says whether it came to its end.
#[derive(Clone, Copy, Debug)]
enum Action {
    Put,
    PutLong,
    NewUser,
    Remove,
    Commit,
    Erase,
    EraseItem,
    Maintain,
    Upgrade,
    Anchor,
    StartCounter,
    ChangeRootKey,
}

const ACTIONS: [Action; 12] = [
    Action::Put,
    Action::PutLong,
    Action::NewUser,
    Action::Remove,
    Action::Commit,
    Action::Erase,
    Action::EraseItem,
    Action::Maintain,
    Action::Upgrade,
    Action::Anchor,
    Action::StartCounter,
    Action::ChangeRootKey,
];

impl Action {
    async fn run<M: Medium>(self, store: &mut AsyncStore<M, Memory>, counter: &mut Register) -> bool {
        let random = &mut random(77);
        match self {
            Self::Put => store
                .put_bytes(Class::User, "key-2", &[9; 30], random)
                .await
                .is_ok(),
            Self::PutLong => store
                .put_bytes(Class::User, "key-3", &[9; 300], random)
                .await
                .is_ok(),
            Self::NewUser => {
                let user = DataClass::user(UserId(7));
                store.put_bytes(user, "key-4", &[9; 30], random).await.is_ok()
            }
            Self::Remove => store.remove_bytes(Class::User, "key-2", random).await.is_ok(),
            Self::Commit => {
                let changes = [
                    Change::put_bytes(Class::User, "key-2", &[8; 30]),
                    Change::put_bytes(Class::Identity, "key-5", &[8; 30]),
                    Change::remove(&EARLIER),
                ];
                store.commit(&changes, random).await.is_ok()
            }
            Self::Erase => store.erase(Class::User, random).await.is_ok(),
            Self::EraseItem => store.erase_item(Class::User, "key-2", random).await.is_ok(),
            Self::Maintain => store.maintain(20, random).await.is_ok(),
            Self::Upgrade => store.upgrade(&PRESENT, random).await.is_ok(),
            Self::Anchor => store
                .anchor(counter, AnchorPolicy::EveryChange, random)
                .await
                .is_ok(),
            Self::StartCounter => store.start_counter(counter, random).await.is_ok(),
            Self::ChangeRootKey => store.change_root_key(&other_root_key(), random).await.is_ok(),
        }
    }
}

fn other_root_key() -> RootKey {
    RootKey::new(*b"another key, of thirty-two bytes").expect("in no list")
}

/// A store with a few items and a counter, and little room left in its head page.
fn base<P: Part>() -> (P, Register) {
    let mut part = P::new(8 * 1024);
    let mut store = format(&mut part, 1);
    let mut counter = Register::at(0);
    store.start_counter(&mut counter, &mut random(2)).unwrap();
    store.put(&EARLIER, &7, &mut random(3)).unwrap();
    for round in 0..8 {
        let outcome = put(2, 2, 40, round).run(&mut store, &mut random(4));
        assert_eq!(outcome, Outcome::Done);
    }
    drop(store);
    (part, counter)
}

/// Whole, under the one root key or the other.
fn contents_under_either_key<P: Part>(part: &mut P, context: &str) -> Model {
    if let Ok(mut store) = mount(&mut part.clone()) {
        return contents(&mut store);
    }
    let mounted = Store::mount(part.medium(), Memory::new(), &other_root_key(), LABEL);
    contents(&mut mounted.unwrap_or_else(|error| panic!("{context}: {error}")))
}

/// Gives up every action after every number of polls.
fn drop_everywhere<P: Pending>() {
    ledger::start();
    let (base, counter) = base::<P>();
    let before = contents(&mut mount(&mut base.clone()).unwrap());
    let mut dropped = 0;
    for action in ACTIONS {
        let mut after = None;
        // To its end first: then both states are known.
        for polls in [ALWAYS].into_iter().chain(0..) {
            let context = format!("{action:?} after {polls} polls");
            let (mut part, mut counter, key) = (base.clone(), counter, root_key());
            let medium = part.pending(&Shared::default());
            let store = AsyncStore::mount_anchored(medium, Memory::new(), &key, LABEL, &mut counter);
            let mut store = poll_times(store, ALWAYS).unwrap().unwrap();
            let ended = poll_times(action.run(&mut store, &mut counter), polls);
            assert_ne!(ended, Some(false), "{context}: fails");
            let state = contents_now(&mut store).expect("reads");
            let after = after.get_or_insert_with(|| state.clone());
            assert!(state == before || state == *after, "{context}: a third state");
            dropped += u32::from(ended.is_none());

            // The instance goes on, and a start shows what it showed.
            let mut source = random(5);
            let again = store.put_bytes(Class::Settings, "go on", &[1; 20], &mut source);
            poll_times(again, ALWAYS).unwrap().expect("goes on");
            drop(store);
            let mut next = contents_under_either_key(&mut part, &context);
            assert!(next.remove(&(1, "go on".to_owned())).is_some());
            assert_eq!(next, state, "{context}: a start shows something else");
            if ended.is_some() && polls != ALWAYS {
                break;
            }
        }
    }
    assert!(dropped > 100, "{dropped}");
    let entries = ledger::stop();
    assert_eq!(
        ledger::reused(&entries),
        None,
        "of {} sealing calls",
        entries.len()
    );
}

#[test]
fn an_operation_that_is_dropped_at_any_await_has_happened_or_not_on_overwritable_flash() {
    drop_everywhere::<Nor<4, 1024>>();
}

#[test]
fn an_operation_that_is_dropped_at_any_await_has_happened_or_not_on_write_once_flash() {
    drop_everywhere::<Ecc<8, 1024>>();
}
