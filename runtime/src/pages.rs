//! Huge pages for large arrays.
//!
//! The first write to each page of new memory is a fault, which costs about as much as it takes to fill the page by a short loop of
//! arithmetic. Linux has pages of 2 MB for programs that ask for them (`transparent_hugepage` is `madvise` on most systems). NumPy asks
//! for its arrays from 4 MB on, and so does this.

/// The bytes from which on memory is better had in huge pages. Source: NumPy, `_npy_alloc_cache`.
pub const LARGE: usize = 1 << 22;

/// Asks for huge pages for new memory, if it is large. This is advice: nothing changes but how soon the memory is there.
#[inline]
pub fn prefer_huge(memory: *mut u8, bytes: usize) {
    if bytes >= LARGE {
        advise(memory, bytes);
    }
}

/// The largest pages that processors and systems start with, to which the address must be aligned.
#[cfg(target_os = "linux")]
const PAGE: usize = 1 << 16;

#[cfg(target_os = "linux")]
#[cold]
fn advise(memory: *mut u8, bytes: usize) {
    let before = memory.align_offset(PAGE).min(bytes);
    let whole = (bytes - before) / PAGE * PAGE;
    let start = memory.wrapping_add(before);
    // SAFETY: this advice changes no contents and no mapping, whatever the range is; where the system refuses it, all is as before.
    unsafe { libc::madvise(start.cast(), whole, libc::MADV_HUGEPAGE) };
}

#[cfg(not(target_os = "linux"))]
fn advise(_memory: *mut u8, _bytes: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kilobytes of the mapping around an address that lie in huge pages, and whether the system gives any on request.
    #[cfg(target_os = "linux")]
    fn huge_kilobytes(address: usize) -> Option<usize> {
        let given = std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled").ok()?;
        if given.contains("[never]") {
            return None;
        }
        let maps = std::fs::read_to_string("/proc/self/smaps").ok()?;
        let mut inside = false;
        for line in maps.lines() {
            let range = line.split(' ').next()?.split_once('-');
            let range = range.map(|(from, to)| {
                let number = |text: &str| usize::from_str_radix(text, 16);
                (number(from), number(to))
            });
            if let Some((Ok(from), Ok(to))) = range {
                inside = (from..to).contains(&address);
            } else if inside && let Some(rest) = line.strip_prefix("AnonHugePages:") {
                return rest.trim().strip_suffix(" kB")?.parse().ok();
            }
        }
        None
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn large_memory_is_in_huge_pages_and_keeps_its_contents() {
        let bytes = 16 << 20;
        let mut memory: Vec<u8> = Vec::with_capacity(bytes);
        prefer_huge(memory.as_mut_ptr(), bytes);
        memory.resize(bytes, 7);
        if let Some(huge) = huge_kilobytes(memory.as_ptr() as usize + bytes / 2) {
            assert!(huge >= 8 << 10, "{huge} kB of {bytes} bytes in huge pages");
        }
        prefer_huge(memory.as_mut_ptr(), bytes);
        assert!(memory.iter().all(|&byte| byte == 7));
    }

    #[test]
    fn any_memory_may_be_named() {
        prefer_huge(std::ptr::null_mut(), 0);
        prefer_huge(std::ptr::null_mut(), LARGE);
        let mut byte = 1_u8;
        prefer_huge(&raw mut byte, 1);
        assert_eq!(byte, 1);
    }
}
