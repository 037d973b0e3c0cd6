//! Numbers for people.

use std::time::Duration;

/// `1234567` is `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `3725` seconds are `1 h 2 min`.
pub(super) fn lasting(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{:.1} s", duration.as_secs_f64()),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// How many of a hundred.
pub(super) fn share(part: u64, of: u64) -> String {
    if of == 0 { "none".to_owned() } else { format!("{:.1} %", part as f64 * 100.0 / of as f64) }
}

/// How many in `unit` of time that passed.
pub(super) fn rate(count: u64, elapsed: Duration, unit: Duration) -> u64 {
    // A campaign that takes no time has no rate worth the name.
    let units = (elapsed.as_secs_f64() / unit.as_secs_f64()).max(f64::EPSILON);
    (count as f64 / units).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_easy_to_read() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        let lasted = [2, 62, 3_725, 180_000].map(|seconds| lasting(Duration::from_secs(seconds)));
        assert_eq!(lasted, ["2.0 s", "1 min 2 s", "1 h 2 min", "2 d 2 h"]);
        assert_eq!((share(1, 3), share(0, 0)), ("33.3 %".to_owned(), "none".to_owned()));
        assert_eq!(rate(100, Duration::from_secs(30), Duration::from_secs(60)), 200);
    }
}
