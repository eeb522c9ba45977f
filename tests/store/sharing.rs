//! Tasks that share one store behind a mutex, and are dropped in the middle of what they do.

use crate::drivers;
use crate::support;

use std::cell::Cell;

use bydesign::flash::Overwritable;
use bydesign::store::{AsyncStore, Class, Key};
use drivers::Pend;
use embassy_futures::block_on;
use embassy_futures::join::join3;
use embassy_futures::select::{Either, select};
use embassy_futures::yield_now;
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_sync::mutex::Mutex;
use support::{LABEL, Memory, Nor, Part, contents, format, mount, random, root_key};

const FIRST: Key<u32> = Key::new("first", Class::Settings);
const SECOND: Key<u32> = Key::new("second", Class::User);

type Shared<'a> = Mutex<NoopRawMutex, AsyncStore<Overwritable<Pend<'a, 4, 1024>>, Memory>>;

async fn mounted(part: &mut Nor<4, 1024>) -> Shared<'_> {
    let key = root_key();
    let medium = Overwritable::from_async(Pend(&mut part.0, drivers::Shared::default()));
    let store = AsyncStore::mount(medium, Memory::new(), &key, LABEL);
    Mutex::new(store.await.expect("mounts"))
}

#[test]
fn tasks_that_take_turns_each_find_what_they_put() {
    let mut part = Nor::<4, 1024>::new(8 * 1024);
    drop(format(&mut part, 1));
    let switches = Cell::new(0);
    block_on(async {
        let store = mounted(&mut part).await;
        let counts = |key: &'static Key<u32>, seed: u64| {
            let (store, switches) = (&store, &switches);
            async move {
                let mut source = random(seed);
                for value in 0..100 {
                    store
                        .lock()
                        .await
                        .put(key, &value, &mut source)
                        .await
                        .expect("puts");
                    switches.set(switches.get() + 1);
                    yield_now().await;
                    assert_eq!(store.lock().await.get(key).await, Ok(Some(value)));
                }
            }
        };
        let upkeep = async {
            let mut source = random(3);
            for _ in 0..100 {
                store
                    .lock()
                    .await
                    .maintain(1, &mut source)
                    .await
                    .expect("keeps up");
                yield_now().await;
            }
        };
        join3(counts(&FIRST, 1), counts(&SECOND, 2), upkeep).await;
    });
    assert_eq!(switches.get(), 200);
    let mut store = mount(&mut part).unwrap();
    assert_eq!(
        (store.get(&FIRST), store.get(&SECOND)),
        (Ok(Some(99)), Ok(Some(99)))
    );
}

#[test]
fn a_task_that_is_given_up_in_the_middle_leaves_the_store_to_the_others() {
    let mut part = Nor::<4, 1024>::new(8 * 1024);
    drop(format(&mut part, 1));
    let mut given_up = 0;
    block_on(async {
        let store = mounted(&mut part).await;
        let mut source = random(1);
        for polls in 0..200u32 {
            let deadline = async {
                for _ in 0..polls % 40 {
                    yield_now().await;
                }
            };
            let put = async { store.lock().await.put(&FIRST, &polls, &mut source).await };
            let finished = matches!(select(put, deadline).await, Either::First(Ok(())));
            given_up += u32::from(!finished);
            let mut store = store.lock().await;
            let seen = store.get(&FIRST).await.expect("reads");
            assert!(seen == Some(polls) || !finished, "{polls}");
            store
                .put(&SECOND, &polls, &mut random(u64::from(polls)))
                .await
                .expect("puts");
        }
    });
    assert!(given_up > 20, "{given_up}");
    let mut store = mount(&mut part).unwrap();
    assert_eq!(store.get(&SECOND), Ok(Some(199)));
    assert_eq!(contents(&mut store).len(), 2);
}
