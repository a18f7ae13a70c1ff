//! What is still to be sent, in order.

use std::collections::VecDeque;

use crate::wire::{Message, State, Update, Values};

/// An ordered queue of messages. While it is stuck, a countdown does not pile up: a Busy update of a vector replaces
/// a Busy update of the same vector that nothing about this vector has followed. Changes of state are never dropped.
#[derive(Debug, Default)]
pub struct Outbox {
    messages: VecDeque<Message>,
}

impl Outbox {
    /// Queues a message.
    pub fn push(&mut self, message: Message) {
        if let Message::Set(update) = &message
            && update.state == State::Busy
            && let Some(queued) = self.last_busy(update)
        {
            *queued = message;
            return;
        }
        self.messages.push_back(message);
    }

    /// Takes the oldest message.
    pub fn pop(&mut self) -> Option<Message> {
        self.messages.pop_front()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Whether a BLOB waits.
    #[must_use]
    pub fn holds_blob(&self) -> bool {
        self.messages.iter().any(|message| matches!(message, Message::SetBlob(_)))
    }

    /// The queued Busy update that `new` supersedes. What follows a frame stays behind it.
    fn last_busy(&mut self, new: &Update) -> Option<&mut Message> {
        let since_frame = self.messages.iter_mut().rev().take_while(|m| !matches!(m, Message::SetBlob(_)));
        let last = since_frame.into_iter().find(|message| about(message, new))?;
        let superseded =
            matches!(last, Message::Set(old) if old.state == State::Busy && !carries_limits(old));
        superseded.then_some(last)
    }
}

fn carries_limits(update: &Update) -> bool {
    matches!(&update.values, Values::Number(list) if list.iter().any(|(_, _, limits)| limits.is_some()))
}

fn about(message: &Message, new: &Update) -> bool {
    match message {
        Message::Set(old) => old.name == new.name,
        Message::Define(old) => old.name == new.name,
        Message::Delete { name, .. } => name.as_ref().is_none_or(|name| *name == new.name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::wire::Limits;

    fn update(state: State, value: f64, limits: Option<Limits>) -> Message {
        Message::Set(Update {
            device: "Cam".to_owned(),
            name: "CCD_EXPOSURE".to_owned(),
            state,
            timeout: 60.0,
            at: SystemTime::UNIX_EPOCH,
            values: Values::Number(vec![("CCD_EXPOSURE_VALUE".to_owned(), value, limits)]),
        })
    }

    fn sent(messages: impl IntoIterator<Item = Message>) -> Vec<(State, f64)> {
        let mut outbox = Outbox::default();
        messages.into_iter().for_each(|message| outbox.push(message));
        let mut sent = Vec::new();
        while let Some(message) = outbox.pop() {
            if let Message::Set(Update { state, values: Values::Number(list), .. }) = message {
                sent.push((state, list[0].1));
            }
        }
        sent
    }

    #[test]
    fn a_countdown_that_is_stuck_does_not_pile_up() {
        let countdown = (0..1000).map(|left| update(State::Busy, f64::from(1000 - left), None));
        assert_eq!(sent(countdown), [(State::Busy, 1.0)]);
    }

    #[test]
    fn no_change_of_state_is_ever_dropped() {
        let states = [State::Busy, State::Ok, State::Busy, State::Alert, State::Busy, State::Idle];
        let expected: Vec<_> = states.iter().map(|state| (*state, 1.0)).collect();
        assert_eq!(sent(states.map(|state| update(state, 1.0, None))), expected);
    }

    #[test]
    fn new_limits_are_not_lost_with_the_value_that_carries_them() {
        let limits = Some(Limits { min: 0.0, max: 1.0, step: 0.0 });
        let messages = [update(State::Busy, 1.0, limits), update(State::Busy, 2.0, None)];
        assert_eq!(sent(messages), [(State::Busy, 1.0), (State::Busy, 2.0)]);
    }
}
