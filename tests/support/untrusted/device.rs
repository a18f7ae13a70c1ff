//! Any requests and any events against one device and the world around it.

#[path = "../world.rs"]
mod world;

use world::steps::KINDS;
use world::{Step, World};

/// More steps say nothing more.
const MOST_STEPS: usize = 300;

/// The camera's abilities, then two bytes for each step. A first byte of 255 stands before so many bytes of an element
/// as the second one says, eight times over.
pub fn check(bytes: &[u8]) {
    let Some((&kind, mut rest)) = bytes.split_first() else { return };
    let mut world = World::new(kind);
    world.act(Step(14, 0).act());
    world.act(Step(0, 0).act());
    world.act(Step(14, 255).act());
    for _ in 0..MOST_STEPS {
        let Some((&[what, how], after)) = rest.split_first_chunk() else { break };
        rest = after;
        if what == 255 {
            let (element, after) = rest.split_at((8 * usize::from(how)).min(rest.len()));
            rest = after;
            world.hear(element);
        } else {
            world.act(Step(what % KINDS, how).act());
        }
    }
    world.act(Step(14, (kind & 1) * 255).act());
    world.end();
}
