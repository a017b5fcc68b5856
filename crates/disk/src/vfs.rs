//! The VFS: SQLite's own for this system with the [`Disk`](crate::disk) in front. The only module
//! that speaks C, and it decides nothing.
//!
//! Calls that change a file hold the disk's lock from the first look to the last note, so that a cut
//! sees one moment. Reading, locking and shared memory go straight through.
#![allow(unsafe_code, reason = "a VFS is a table of C functions")]

use crate::disk::{Disk, Kind, Verdict, disk};
use crate::pending::{SECTOR, span};
use rusqlite::ffi::{self, sqlite3_file, sqlite3_io_methods, sqlite3_vfs};
use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use std::sync::Once;
use std::sync::atomic::{AtomicPtr, Ordering};

static NAME: &CStr = c"ichae-disk";
/// The VFS behind; it is set before ours is known to SQLite, and lives as long as the process.
static INNER: AtomicPtr<sqlite3_vfs> = AtomicPtr::new(ptr::null_mut());

/// An open file: SQLite's base, and behind it in the same memory the inner VFS's file.
#[repr(C)]
struct File {
    base: sqlite3_file,
    /// As the disk knows it; 0 is a file that is none of ours.
    number: u64,
}

/// Makes this the VFS of every connection that is opened from now on.
pub fn install() -> bool {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        // SAFETY: NULL asks for the default VFS, which is SQLite's own and never goes away.
        let inner = unsafe { ffi::sqlite3_vfs_find(ptr::null()) };
        // SAFETY: what was found is a valid VFS, and it is only read.
        let Some(found) = (unsafe { inner.as_ref() }) else { return };
        INNER.store(inner, Ordering::Release);
        // The other functions are the inner VFS's own: they look at no field of the VFS that they
        // are given but those which are copied here.
        let ours = Box::leak(Box::new(sqlite3_vfs {
            szOsFile: found.szOsFile + size_of::<File>() as c_int,
            pNext: ptr::null_mut(),
            zName: NAME.as_ptr(),
            xOpen: Some(x_open),
            xDelete: Some(x_delete),
            ..*found
        }));
        // SAFETY: the table is complete and is never freed.
        unsafe { ffi::sqlite3_vfs_register(ours, 1) };
    });
    !INNER.load(Ordering::Acquire).is_null()
}

/// The methods of a file of ours. Version 3 asks for shared memory and mapped reads, which the unix
/// VFS has.
static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 3,
    xClose: Some(x_close),
    xRead: Some(x_read),
    xWrite: Some(x_write),
    xTruncate: Some(x_truncate),
    xSync: Some(x_sync),
    xFileSize: Some(x_file_size),
    xLock: Some(x_lock),
    xUnlock: Some(x_unlock),
    xCheckReservedLock: Some(x_check_reserved_lock),
    xFileControl: Some(x_file_control),
    xSectorSize: Some(x_sector_size),
    xDeviceCharacteristics: Some(x_device_characteristics),
    xShmMap: Some(x_shm_map),
    xShmLock: Some(x_shm_lock),
    xShmBarrier: Some(x_shm_barrier),
    xShmUnmap: Some(x_shm_unmap),
    xFetch: Some(x_fetch),
    xUnfetch: Some(x_unfetch),
};

/// # Safety
/// `file` is a file that [`x_open`] has opened.
unsafe fn inner_of(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: SQLite gave `szOsFile` bytes: ours and then the inner VFS's.
    unsafe { file.cast::<File>().add(1).cast() }
}

/// # Safety
/// As [`inner_of`].
unsafe fn number_of(file: *mut sqlite3_file) -> u64 {
    // SAFETY: it begins with our own struct, which is written when it is opened.
    unsafe { (*file.cast::<File>()).number }
}

/// # Safety
/// As [`inner_of`].
unsafe fn methods_of<'a>(file: *mut sqlite3_file) -> Option<&'a sqlite3_io_methods> {
    // SAFETY: the inner VFS has set its methods, which live as long as the file is open.
    unsafe { (*inner_of(file)).pMethods.as_ref() }
}

/// # Safety
/// `name` is NULL or a path that ends in a zero byte and outlives the answer.
unsafe fn path_of<'a>(name: *const c_char) -> Option<&'a Path> {
    if name.is_null() {
        return None;
    }
    // SAFETY: as above.
    let bytes = unsafe { CStr::from_ptr(name) }.to_bytes();
    Some(Path::new(OsStr::from_bytes(bytes)))
}

/// Methods that go straight through.
macro_rules! through {
    ($($name:ident = $method:ident($($arg:ident: $of:ty),*) -> $answer:ty, $without:expr;)*) => {$(
        unsafe extern "C" fn $name(file: *mut sqlite3_file $(, $arg: $of)*) -> $answer {
            // SAFETY: SQLite calls this with a file of ours, and the inner file is as it left it.
            unsafe {
                match methods_of(file).and_then(|methods| methods.$method) {
                    Some(method) => method(inner_of(file) $(, $arg)*),
                    None => $without,
                }
            }
        }
    )*};
}

through! {
    x_close = xClose() -> c_int, ffi::SQLITE_OK;
    x_read = xRead(to: *mut c_void, amount: c_int, at: i64) -> c_int, ffi::SQLITE_IOERR;
    x_file_size = xFileSize(size: *mut i64) -> c_int, ffi::SQLITE_IOERR;
    x_lock = xLock(level: c_int) -> c_int, ffi::SQLITE_IOERR;
    x_unlock = xUnlock(level: c_int) -> c_int, ffi::SQLITE_IOERR;
    x_check_reserved_lock = xCheckReservedLock(held: *mut c_int) -> c_int, ffi::SQLITE_IOERR;
    x_file_control = xFileControl(op: c_int, arg: *mut c_void) -> c_int, ffi::SQLITE_NOTFOUND;
    x_sector_size = xSectorSize() -> c_int, SECTOR as c_int;
    x_device_characteristics = xDeviceCharacteristics() -> c_int, 0;
    x_shm_map = xShmMap(page: c_int, size: c_int, extend: c_int, to: *mut *mut c_void)
        -> c_int, ffi::SQLITE_IOERR;
    x_shm_lock = xShmLock(from: c_int, count: c_int, flags: c_int) -> c_int, ffi::SQLITE_IOERR;
    x_shm_barrier = xShmBarrier() -> (), ();
    x_shm_unmap = xShmUnmap(delete: c_int) -> c_int, ffi::SQLITE_OK;
    x_fetch = xFetch(at: i64, amount: c_int, to: *mut *mut c_void) -> c_int, ffi::SQLITE_IOERR;
    x_unfetch = xUnfetch(at: i64, page: *mut c_void) -> c_int, ffi::SQLITE_OK;
    inner_write = xWrite(from: *const c_void, amount: c_int, at: i64) -> c_int, ffi::SQLITE_IOERR;
    inner_truncate = xTruncate(size: i64) -> c_int, ffi::SQLITE_IOERR;
    inner_sync = xSync(flags: c_int) -> c_int, ffi::SQLITE_IOERR;
}

unsafe extern "C" fn x_open(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // Files without a name and files that go with their closing are SQLite's scratch.
    let scratch = flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0;
    // SAFETY: SQLite's names end in a zero byte and live as long as the file.
    let path = unsafe { path_of(name) }.filter(|_| !scratch);
    let mut disk = disk();
    let verdict = path.and_then(|path| disk.opening(path));
    let made = path.is_some_and(|path| !path.exists());
    let vfs = INNER.load(Ordering::Acquire);
    // SAFETY: `file` has room for ours and the inner file, and the inner VFS was found at the start.
    // Without methods SQLite takes the file as not opened.
    unsafe {
        (*file).pMethods = ptr::null();
        if verdict.is_some_and(|verdict| verdict != Verdict::Pass) {
            return ffi::SQLITE_CANTOPEN;
        }
        let inner = inner_of(file);
        (*inner).pMethods = ptr::null();
        let Some(open) = (*vfs).xOpen else { return ffi::SQLITE_CANTOPEN };
        let done = open(vfs, name, inner, flags, out_flags);
        if done != ffi::SQLITE_OK {
            if let Some(close) = (*inner).pMethods.as_ref().and_then(|methods| methods.xClose) {
                close(inner);
            }
            return done;
        }
        let journal = flags & (ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL) != 0;
        (*file.cast::<File>()).number = match (path, verdict) {
            (Some(path), Some(_)) => disk.opened(path, journal, made),
            _ => 0,
        };
        (*file).pMethods = &raw const METHODS;
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_delete(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    sync_folder: c_int,
) -> c_int {
    // SAFETY: SQLite's names end in a zero byte.
    let path = unsafe { path_of(name) };
    let mut disk = disk();
    let verdict = path.and_then(|path| disk.deleting(path));
    if verdict.is_some_and(|verdict| verdict != Verdict::Pass) {
        return ffi::SQLITE_IOERR_DELETE;
    }
    let content = path.filter(|_| verdict.is_some()).and_then(|path| std::fs::read(path).ok());
    let vfs = INNER.load(Ordering::Acquire);
    // SAFETY: the inner VFS was found at the start; the name is SQLite's.
    let done = unsafe {
        match (*vfs).xDelete {
            Some(delete) => delete(vfs, name, sync_folder),
            None => ffi::SQLITE_IOERR_DELETE,
        }
    };
    if let (ffi::SQLITE_OK, Some(path), Some(content)) = (done, path, content) {
        disk.deleted(path, sync_folder != 0, content);
    }
    done
}

/// What the file holds there, zeros past its end.
///
/// # Safety
/// As [`inner_of`].
unsafe fn held(file: *mut sqlite3_file, at: u64, length: u64) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    // SAFETY: the buffer is as long as is said. A short read fills the rest with zeros.
    unsafe { x_read(file, bytes.as_mut_ptr().cast(), bytes.len() as c_int, at as i64) };
    bytes
}

/// Writes, and notes what was there before.
///
/// # Safety
/// As [`inner_of`].
unsafe fn write_noted(disk: &mut Disk, file: *mut sqlite3_file, bytes: &[u8], at: i64) -> c_int {
    let (from, length) = span(at as u64, bytes.len() as u64);
    // SAFETY: the caller's file; the bytes are as long as is said.
    unsafe {
        let old = held(file, from, length);
        disk.wrote(number_of(file), at as u64, bytes, &old);
        inner_write(file, bytes.as_ptr().cast(), bytes.len() as c_int, at)
    }
}

unsafe extern "C" fn x_write(
    file: *mut sqlite3_file,
    from: *const c_void,
    amount: c_int,
    at: i64,
) -> c_int {
    // SAFETY: SQLite calls this with a file of ours and so many readable bytes.
    unsafe {
        let number = number_of(file);
        if number == 0 {
            return inner_write(file, from, amount, at);
        }
        let bytes = std::slice::from_raw_parts(from.cast::<u8>(), amount as usize);
        let mut disk = disk();
        match disk.calling(Kind::Write, number) {
            Verdict::Pass => write_noted(&mut disk, file, bytes, at),
            Verdict::Eio => ffi::SQLITE_IOERR_WRITE,
            Verdict::Full => {
                // A disk that fills up takes the beginning.
                write_noted(&mut disk, file, &bytes[..bytes.len() / 2], at);
                ffi::SQLITE_FULL
            }
        }
    }
}

unsafe extern "C" fn x_truncate(file: *mut sqlite3_file, to: i64) -> c_int {
    // SAFETY: SQLite calls this with a file of ours.
    unsafe {
        let number = number_of(file);
        if number == 0 {
            return inner_truncate(file, to);
        }
        let mut disk = disk();
        if disk.calling(Kind::Truncate, number) != Verdict::Pass {
            return ffi::SQLITE_IOERR_TRUNCATE;
        }
        let size = disk.size(number);
        if size > to as u64 {
            let (from, length) = span(to as u64, size - to as u64);
            let old = held(file, from, length);
            disk.truncated(number, to as u64, &old);
        }
        inner_truncate(file, to)
    }
}

/// The inner file is not synced: what counts is what the disk in front has noted, and a true sync
/// would only cost time.
unsafe extern "C" fn x_sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: SQLite calls this with a file of ours.
    unsafe {
        let number = number_of(file);
        if number == 0 {
            return inner_sync(file, flags);
        }
        let mut disk = disk();
        if disk.calling(Kind::Sync, number) != Verdict::Pass {
            return ffi::SQLITE_IOERR_FSYNC;
        }
        disk.synced(number);
        ffi::SQLITE_OK
    }
}
