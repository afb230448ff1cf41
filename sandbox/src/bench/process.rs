//! What the kernel knows about a function's process (`proc(5)`); nothing on other systems.

use std::{fs, time::Duration};

/// Ticks of `/proc/<pid>/stat` in a second: `USER_HZ`, which is 100 wherever Lambda runs.
const TICKS_PER_SECOND: u64 = 100;

/// Peak resident memory in bytes (`VmHWM`).
pub(super) fn peak_memory(pid: u32) -> Option<u64> {
    peak_of(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
}

/// CPU time of all threads so far, user and system.
pub(super) fn cpu_time(pid: u32) -> Option<Duration> {
    cpu_of(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Size of the running binary in bytes.
pub(super) fn binary_size(pid: u32) -> Option<u64> {
    Some(fs::metadata(format!("/proc/{pid}/exe")).ok()?.len())
}

fn peak_of(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

fn cpu_of(stat: &str) -> Option<Duration> {
    // The name stands in parentheses and may itself hold blanks and parentheses.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    let (user, system) = (ticks()?, ticks()?);
    Some(Duration::from_millis(
        (user + system) * 1_000 / TICKS_PER_SECOND,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_in_bytes() {
        let status =
            "Name:\tflows\nVmPeak:\t  400000 kB\nVmHWM:\t   10240 kB\nVmRSS:\t    9000 kB\n";
        assert_eq!(peak_of(status), Some(10 * 1024 * 1024));
        assert_eq!(peak_of("Name:\tflows\n"), None);
    }

    #[test]
    fn cpu_time_is_user_and_system_whatever_the_name_is() {
        let stat = "4242 (odd) name) S 1 2 3 4 5 6 7 8 9 10 150 25 0 0 20 0 1 0 100 200 300";
        assert_eq!(cpu_of(stat), Some(Duration::from_millis(1_750)));
        assert_eq!(cpu_of("4242 (cut"), None);
    }
}
