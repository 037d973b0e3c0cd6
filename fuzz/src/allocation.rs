//! A bound on what an input may make a decoder allocate.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// What decoding, judging and encoding an input again takes beside it.
const BESIDE_BYTES: usize = 192 << 10;
/// How often the input may be in memory: it is decoded, copied and encoded, and vectors grow by doubling.
const TIMES: usize = 24;

/// Bytes in use, and the most that ever were since the last look.
static IN_USE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The system's allocator, counted.
struct Counting;

// SAFETY: everything is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = IN_USE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller keeps the rules of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the rules of `dealloc`.
        unsafe { System.dealloc(at, layout) }
    }
}

/// Runs an input; panics when it takes more memory than its length explains.
pub fn bounded(bytes: &[u8], run: impl FnOnce(&[u8])) {
    let before = IN_USE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    run(bytes);
    let taken = PEAK.load(Ordering::Relaxed).saturating_sub(before);
    let allowed = BESIDE_BYTES + TIMES * bytes.len();
    assert!(taken <= allowed, "{taken} bytes for an input of {}, {allowed} are explained", bytes.len());
}
