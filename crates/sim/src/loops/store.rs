//! The store behind the writer: it refuses and fails now and then, and everything that goes through it
//! is traced.

use super::fault::{Dice, Fault};
use crate::trace::Trace;
use ichae_domain::code::Code;
use ichae_domain::command::{Actor, Order};
use ichae_store::memory::MemoryBackend;
use ichae_store::port::{Answer, Backend, StoreError};
use std::sync::{Arc, Mutex, PoisonError};

pub struct FaultyStore {
    pub inner: MemoryBackend,
    pub dice: Arc<Mutex<Dice>>,
    pub trace: Arc<Mutex<Trace>>,
}

impl Backend for FaultyStore {
    fn commit(&mut self, orders: &[Order]) -> Vec<Answer> {
        let one = |order: &Order| {
            let answer = match self.fault(order) {
                Some(code) => Err(code.into()),
                None => match self.inner.commit(std::slice::from_ref(order)).pop() {
                    Some(answer) => answer,
                    None => Err(Code::T0999.into()),
                },
            };
            let mut trace = self.trace.lock().unwrap_or_else(PoisonError::into_inner);
            trace.add(order);
            trace.add(&answer);
            answer
        };
        orders.iter().map(one).collect()
    }

    fn reseal(&mut self, after: i64, limit: usize) -> Result<Option<i64>, StoreError> {
        self.inner.reseal(after, limit)
    }
}

impl FaultyStore {
    /// Only the loops' own orders are refused: they have to live with it.
    fn fault(&self, order: &Order) -> Option<Code> {
        if order.actor != Actor::Engine {
            return None;
        }
        let mut dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
        match () {
            () if dice.hits(Fault::StoreBusy) => Some(Code::T0503),
            () if dice.hits(Fault::StoreFault) => Some(Code::T0999),
            () => None,
        }
    }
}
