//! A vector of switches of which a user turns one on.

use super::settings::{Vector, invalid};
use crate::camera::error::Result;
use crate::camera::types::Value;

/// One of several values that have names.
#[derive(Clone)]
pub(super) struct Choice<T: 'static> {
    vector: &'static str,
    table: &'static [(&'static str, T)],
    chosen: usize,
}

impl<T: Copy> Choice<T> {
    /// The first one of the table, which holds at least one.
    pub(super) fn new(vector: &'static str, table: &'static [(&'static str, T)]) -> Self {
        Choice { vector, table, chosen: 0 }
    }

    /// What is chosen.
    pub(super) fn value(&self) -> T {
        self.table[self.chosen].1
    }
}

impl<T> Vector for Choice<T> {
    fn get(&self) -> Value {
        Value::Text(self.table[self.chosen].0.to_owned())
    }

    fn set(&mut self, value: &Value) -> Result<()> {
        let names = || self.table.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let vector = self.vector;
        let Value::Text(word) = value else {
            return Err(invalid(format!("{vector} takes one of {}", names())));
        };
        let place = self.table.iter().position(|(name, _)| name == word);
        self.chosen =
            place.ok_or_else(|| invalid(format!("{vector} takes one of {}, not {word}", names())))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_in_the_table_is_chosen() {
        let mut choice = Choice::new("SIMULATOR_TEST", &[("ONE", 1), ("TWO", 2)]);
        assert_eq!(choice.value(), 1);
        choice.set(&Value::Text("TWO".to_owned())).unwrap();
        let error = choice.set(&Value::Text("THREE".to_owned())).unwrap_err();
        assert_eq!(error.detail, "SIMULATOR_TEST takes one of ONE, TWO, not THREE");
        assert_eq!((choice.value(), choice.get()), (2, Value::Text("TWO".to_owned())));
    }
}
