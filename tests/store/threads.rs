//! Executors that move tasks from thread to thread: what the async store gives may be sent, where the driver may. Not so a commit and an eraser, which
//! hold what the caller gave them behind a pointer.

use std::thread;

use bydesign::credential::reseal::reseal_async;
use bydesign::flash::Overwritable;
use bydesign::flash::simulator::{Rule, Simulator};
use bydesign::secret::RootKey;
use bydesign::store::{AsyncStore, Class, Key, UserId};
use embassy_futures::block_on;

use crate::support::{LABEL, Memory, ROOT, random, root_key};

const COUNT: Key<u32> = Key::new("count", Class::Settings);

/// Ends a future where it was not made.
fn elsewhere<T: Send>(future: impl Future<Output = T> + Send) -> T {
    thread::scope(|scope| scope.spawn(|| block_on(future)).join().expect("no panic"))
}

#[test]
fn futures_of_the_async_store_end_on_another_thread_than_the_one_they_were_made_on() {
    let (mut part, key, mut random) = (
        Simulator::<4, 1024>::new(16 * 1024, Rule::Multiwrite),
        root_key(),
        random(1),
    );
    let format = AsyncStore::format(
        Overwritable::new(&mut part),
        Memory::new(),
        &key,
        LABEL,
        &mut random,
    );
    drop(elsewhere(format).expect("blank"));

    let mount = AsyncStore::mount(Overwritable::new(&mut part), Memory::new(), &key, LABEL);
    let mut store = elsewhere(mount).expect("mounts");
    assert_eq!(elsewhere(store.put(&COUNT, &7, &mut random)), Ok(()));
    assert_eq!(elsewhere(store.get(&COUNT)), Ok(Some(7)));
    let mut seen = 0;
    assert_eq!(
        elsewhere(store.for_each(Class::Settings, |_, _| seen += 1)),
        Ok(())
    );
    assert_eq!(seen, 1);
    elsewhere(store.maintain(4, &mut random)).expect("keeps up");
    elsewhere(store.erase(UserId(7), &mut random)).expect("nobody's");
    drop(store);

    let mut medium = Overwritable::new(&mut part);
    let mut own = ROOT;
    own[3] ^= 0x55;
    let own = RootKey::new(own).expect("in no list");
    let resealed = reseal_async::<_, Memory, _>(&mut medium, &key, &own, LABEL, &mut random);
    let mut store = elsewhere(resealed).expect("reseals");
    assert_eq!(elsewhere(store.get(&COUNT)), Ok(Some(7)));
    drop(store);

    let salvage = AsyncStore::salvage(Overwritable::new(&mut part), Memory::new(), &own, LABEL, |_| ());
    assert_eq!(elsewhere(salvage).map(|salvaged| salvaged.items), Ok(1));
}
