//! What was measured, each beside its yardstick and its bar.

use serde::Serialize;

/// CI holds a ratio to this share of its bar: its machines are shared and noisy.
pub const NOISE: f64 = 0.7;

/// What kind of bar a row has.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bar {
    /// At least so much of the yardstick.
    Ratio(f64),
    /// At most so much; a time of this machine, printed and not gated where it is shared.
    AtMost(f64),
    /// Exactly so much, strictly.
    Exactly(f64),
    /// For information.
    None,
}

#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub section: &'static str,
    pub what: String,
    pub value: f64,
    pub unit: &'static str,
    /// What it is compared with, and how much that was in the same run.
    pub yardstick: Option<(String, f64)>,
    /// The median of the pairs of one run, where there is a yardstick.
    pub ratio: Option<f64>,
    pub bar: Bar,
}

impl Row {
    /// Whether it reaches its bar; `noisy` as CI holds it.
    pub fn met(&self, noisy: bool) -> bool {
        match self.bar {
            Bar::Ratio(bar) => {
                self.ratio.is_some_and(|r| r >= bar * if noisy { NOISE } else { 1.0 })
            }
            Bar::AtMost(most) => noisy || self.value <= most,
            Bar::Exactly(value) => (self.value - value).abs() < f64::EPSILON,
            Bar::None => true,
        }
    }

    pub fn bar_text(&self) -> String {
        match self.bar {
            Bar::Ratio(bar) => format!(">= {bar:.2}"),
            Bar::AtMost(most) => format!("<= {}", amount(most, self.unit)),
            Bar::Exactly(value) => format!("= {}", amount(value, self.unit)),
            Bar::None => String::new(),
        }
    }
}

/// A number with its unit, as people read it.
pub fn amount(value: f64, unit: &str) -> String {
    let number = if value >= 100.0 || value.fract() == 0.0 {
        thousands(value.round() as u64)
    } else {
        format!("{value:.1}")
    };
    format!("{number} {unit}").trim_end().to_owned()
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// One point of a curve, for the plots.
#[derive(Clone, Debug, Serialize)]
pub struct Point {
    pub curve: &'static str,
    pub x: f64,
    pub y: f64,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    pub rows: Vec<Row>,
    pub points: Vec<Point>,
}

impl Report {
    pub fn note(&mut self, section: &'static str, what: &str, value: f64, unit: &'static str) {
        self.bar(section, what, value, unit, Bar::None);
    }

    pub fn bar(
        &mut self,
        section: &'static str,
        what: &str,
        value: f64,
        unit: &'static str,
        bar: Bar,
    ) {
        let what = what.to_owned();
        self.rows.push(Row { section, what, value, unit, yardstick: None, ratio: None, bar });
    }

    /// Pairs of (value, yardstick) of one run: the median of each, and the median of their ratios.
    pub fn pairs(
        &mut self,
        section: &'static str,
        what: &str,
        yardstick: &str,
        pairs: &[(f64, f64)],
        bar: f64,
    ) {
        let ratio = median(pairs.iter().map(|(value, yard)| value / yard));
        self.rows.push(Row {
            section,
            what: what.to_owned(),
            value: median(pairs.iter().map(|pair| pair.0)),
            unit: "/s",
            yardstick: Some((yardstick.to_owned(), median(pairs.iter().map(|pair| pair.1)))),
            ratio: Some(ratio),
            bar: Bar::Ratio(bar),
        });
    }

    pub fn point(&mut self, curve: &'static str, x: f64, y: f64) {
        self.points.push(Point { curve, x, y });
    }

    pub fn met(&self, noisy: bool) -> bool {
        !self.rows.is_empty() && self.rows.iter().all(|row| row.met(noisy))
    }
}

/// The middle one; of an even number the lower of the two.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = values.collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(value: f64, ratio: Option<f64>, bar: Bar) -> Row {
        let yardstick = None;
        Row { section: "s", what: "w".to_owned(), value, unit: "/s", yardstick, ratio, bar }
    }

    #[test]
    fn a_bar_is_met_or_not() {
        let table = [
            (row(1.0, Some(0.5), Bar::Ratio(0.5)), true, true),
            (row(1.0, Some(0.36), Bar::Ratio(0.5)), false, true),
            (row(1.0, Some(0.34), Bar::Ratio(0.5)), false, false),
            (row(1.0, None, Bar::Ratio(0.5)), false, false),
            (row(50.0, None, Bar::AtMost(50.0)), true, true),
            (row(51.0, None, Bar::AtMost(50.0)), false, true),
            (row(0.0, None, Bar::Exactly(0.0)), true, true),
            (row(1.0, None, Bar::Exactly(0.0)), false, false),
        ];
        for (row, strict, noisy) in table {
            assert_eq!((row.met(false), row.met(true)), (strict, noisy), "{row:?}");
        }
        assert!(!Report::default().met(true), "nothing measured is nothing reached");
    }

    #[test]
    fn numbers_read_like_numbers() {
        let table = [
            (1_234_567.0, "/s", "1,234,567 /s"),
            (0.5, "s", "0.5 s"),
            (12.0, "", "12"),
            (99.96, "ms", "100.0 ms"),
        ];
        for (value, unit, text) in table {
            assert_eq!(amount(value, unit), text);
        }
        assert!(median([3.0, 1.0, 2.0].into_iter()) == 2.0);
    }
}
