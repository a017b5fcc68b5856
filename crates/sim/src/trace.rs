//! The trace of a run, as one number: FNV-1a over the text of every command, answer and event.

use std::fmt::{self, Write};

/// A running hash. Two runs with the same hash did the same.
#[derive(Clone, Debug)]
pub struct Trace(u64);

impl Default for Trace {
    fn default() -> Trace {
        Trace(0xCBF2_9CE4_8422_2325)
    }
}

impl Trace {
    pub fn add(&mut self, thing: &impl fmt::Debug) {
        // Writing into the hash cannot fail.
        let _ = write!(self, "{thing:?};");
    }

    pub fn hash(&self) -> u64 {
        self.0
    }
}

impl Write for Trace {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_fnv_1a() {
        let mut trace = Trace::default();
        trace.write_str("foobar").unwrap();
        assert_eq!(trace.hash(), 0x8594_4171_F739_67E8);
    }
}
