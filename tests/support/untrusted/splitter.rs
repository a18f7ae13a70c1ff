//! Whatever arrives on stdin, in whatever pieces.

use indi_camera::wire::splitter::{MAX_ELEMENT, Piece, Splitter};

/// A number that no cut of the rubbish before it may hide: the ends of a comment and of CDATA come first.
const AFTERWARDS: &[u8] = b" -->]]><pingRequest uid='afterwards'/>";

/// The first two bytes say how long the reads are, the rest is what is read.
pub fn check(bytes: &[u8]) {
    let Some((&[short, long], stream)) = bytes.split_first_chunk() else { return };
    let stream = [stream, AFTERWARDS].concat();
    let sizes = [usize::from(short) + 1, 16 * usize::from(long) + 1];
    let (elements, losses) = read(&stream, &sizes, false);
    assert_eq!(
        (&elements, losses),
        (&read(&stream, &[usize::MAX], false).0, losses),
        "the reads' lengths matter"
    );
    assert_eq!(elements, read(&stream, &sizes, true).0, "taking BLOBs changes the elements");
    let last = elements.last().map(Vec::as_slice);
    assert_eq!(last, Some(&b"<pingRequest uid='afterwards'/>"[..]), "out of step for good");
    for element in &elements {
        assert!(element.len() <= MAX_ELEMENT && element.starts_with(b"<") && element.ends_with(b">"));
    }
}

/// The elements of a stream that is read in pieces of these lengths, and how many were lost.
fn read(stream: &[u8], sizes: &[usize], bodies: bool) -> (Vec<Vec<u8>>, usize) {
    let mut splitter = Splitter::new();
    let (mut elements, mut losses, mut rest) = (Vec::new(), 0, stream);
    for size in sizes.iter().cycle() {
        let space = splitter.space();
        let (piece, after) = rest.split_at((*size).min(space.len()).min(rest.len()));
        space[..piece.len()].copy_from_slice(piece);
        splitter.filled(piece.len());
        rest = after;
        loop {
            let whole = if bodies {
                match splitter.next_piece() {
                    None => break,
                    Some(Ok(Piece::Element(element))) => Ok(element),
                    Some(Ok(Piece::Body { element, text, .. })) => {
                        assert!(!text.contains(&b'<') && element.starts_with(b"<"));
                        continue;
                    }
                    Some(Err(why)) => Err(why),
                }
            } else {
                match splitter.next_element() {
                    None => break,
                    Some(whole) => whole,
                }
            };
            match whole {
                Ok(element) => elements.push(element.to_vec()),
                Err(why) => {
                    assert!(why.at <= stream.len() as u64 && !why.what.is_empty());
                    losses += 1;
                }
            }
        }
        if rest.is_empty() {
            return (elements, losses);
        }
    }
    (elements, losses)
}
