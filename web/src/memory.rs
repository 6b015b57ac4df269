//! How a page hands bytes to the engine: it asks for memory, writes the question there, and reads the
//! answer.
#![allow(
    unsafe_code,
    reason = "bytes cross from JavaScript by address and length"
)]

use crate::answers::answer;

/// Memory for a question of this many bytes.
#[unsafe(no_mangle)]
pub extern "C" fn question(length: usize) -> *mut u8 {
    let bytes: Box<[u8]> = vec![0; length].into_boxed_slice();
    Box::into_raw(bytes).cast()
}

/// Answers the question at an address that [`question`] returned, with its length. The result is the
/// address of the answer: its length in four bytes, then its bytes. [`forget`] frees it.
///
/// # Safety
/// `address` and `length` are those of one call of [`question`], which is used only once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ask(address: *mut u8, length: usize) -> *mut u8 {
    // SAFETY: the caller passes what `question` has returned.
    let question = unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(address, length)) };
    let text = answer(&String::from_utf8_lossy(&question));
    let size = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let bytes: Vec<u8> = size
        .to_le_bytes()
        .into_iter()
        .chain(text.into_bytes())
        .collect();
    Box::into_raw(bytes.into_boxed_slice()).cast()
}

/// Frees an answer.
///
/// # Safety
/// `address` is what [`ask`] has returned, and is used only once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn forget(address: *mut u8) {
    // SAFETY: the first four bytes of an answer are its length.
    unsafe {
        let size = std::ptr::read_unaligned(address.cast::<[u8; 4]>());
        let length = 4 + u32::from_le_bytes(size) as usize;
        drop(Box::from_raw(std::ptr::slice_from_raw_parts_mut(
            address, length,
        )));
    }
}

#[link(wasm_import_module = "page")]
unsafe extern "C" {
    /// Tells the page how far a question is answered.
    fn progress(done: u32, total: u32);
}

/// Tells the page how far a question is answered.
pub fn tell(done: usize, total: usize) {
    let size = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    // SAFETY: the page has this function; it takes two numbers.
    unsafe { progress(size(done), size(total)) }
}
