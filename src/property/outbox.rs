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

    /// The queued Busy update that `new` supersedes.
    fn last_busy(&mut self, new: &Update) -> Option<&mut Message> {
        let last = self.messages.iter_mut().rev().find(|message| about(message, new))?;
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
