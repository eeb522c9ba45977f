//! Other stores with the same work: neither seals anything, so the cipher alone comes on top of what they take.
//!
//! ```text
//!  measure
//!    peers    (this file)
//!    meter
//! ```

use bydesign::flash::Blocking;
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use ekv::flash::PageID;
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embedded_storage::nor_flash::{NorFlash, NorFlashErrorKind, ReadNorFlash};
use semihosting::print;
use sequential_storage::cache::Cache;
use sequential_storage::map::{MapConfig, MapStorage};

use crate::meter::measured;
use crate::part::{CAPACITY, Part};
use crate::{Failed, VALUE, blank};

const PAGE: usize = Part::ERASE_SIZE;

/// Drivers in memory never pend.
fn ready<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}

struct Pages(Part);

impl ekv::flash::Flash for Pages {
    type Error = NorFlashErrorKind;

    fn page_count(&self) -> usize {
        CAPACITY / PAGE
    }

    async fn erase(&mut self, page: PageID) -> Result<(), NorFlashErrorKind> {
        let from = (page.index() * PAGE) as u32;
        self.0.erase(from, from + PAGE as u32)
    }

    async fn read(&mut self, page: PageID, offset: usize, data: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        self.0.read((page.index() * PAGE + offset) as u32, data)
    }

    async fn write(&mut self, page: PageID, offset: usize, data: &[u8]) -> Result<(), NorFlashErrorKind> {
        self.0.write((page.index() * PAGE + offset) as u32, data)
    }
}

pub(crate) fn all() -> Result<(), Failed> {
    print!("# sequential-storage 8, not sealed, without caches\n");
    let config = MapConfig::try_new(0..CAPACITY as u32).map_err(|_| "config")?;
    let mut map = MapStorage::<u8, _, _>::new(Blocking(blank()), config, Cache::new_uncached());
    let mut buffer = [0; 256];
    for name in [1, 2, 3, 4_u8] {
        ready(map.store_item(&mut buffer, &name, &VALUE.as_slice())).map_err(|_| "store")?;
    }
    let stored = measured("put 64 bytes", || {
        ready(map.store_item(&mut buffer, &1, &VALUE.as_slice()))
    });
    stored.map_err(|_| "store")?;
    let found = measured("get 64 bytes", || {
        ready(map.fetch_item::<&[u8]>(&mut buffer, &1)).is_ok_and(|found| found.is_some())
    });
    if !found {
        return Err("fetch");
    }

    print!("# ekv 1, not sealed\n");
    let database = ekv::Database::<_, NoopRawMutex>::new(Pages(blank()), ekv::Config::default());
    measured("format", || ready(database.format())).map_err(|_| "format")?;
    let put = |name: &[u8]| {
        ready(async {
            let mut transaction = database.write_transaction().await;
            transaction.write(name, &VALUE).await.map_err(|_| "write")?;
            transaction.commit().await.map_err(|_| "commit")
        })
    };
    for name in [b"a", b"b", b"c", b"d"] {
        put(name)?;
    }
    measured("put 64 bytes", || put(b"a"))?;
    let mut out = [0; 64];
    let found = measured("get 64 bytes", || {
        ready(async {
            database
                .read_transaction()
                .await
                .read(b"a", &mut out)
                .await
                .is_ok()
        })
    });
    if found { Ok(()) } else { Err("read") }
}
