use super::*;
use crate::wire::cut;

/// What comes out of `input`, fed in pieces of `size` bytes: elements as text, losses as `!tag: why`.
fn split(input: &[u8], size: usize) -> Vec<String> {
    let mut splitter = Splitter::new();
    let mut out = Vec::new();
    for piece in input.chunks(size) {
        splitter.space()[..piece.len()].copy_from_slice(piece);
        splitter.filled(piece.len());
        while let Some(element) = splitter.next_element() {
            out.push(match element {
                Ok(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                Err(Malformed { what, why, .. }) => format!("!{what}: {why}"),
            });
        }
    }
    out
}

/// `input` comes out as `expected`, wherever it is cut.
#[track_caller]
fn check(input: &str, expected: &[&str]) {
    for size in [1, 2, 3, 7, 8, 64, ROOM] {
        assert_eq!(split(input.as_bytes(), size), expected, "in pieces of {size}");
    }
}

const PING: &str = r#"<pingRequest uid="1"/>"#;

#[test]
fn many_elements_in_one_read_come_out_one_by_one() {
    let vector = "<newTextVector device='D' name='N'>\n  <oneText name='a'>x > y</oneText><oneText name='b'/></newTextVector>";
    check(&format!("{PING}{vector}{PING}"), &[PING, vector, PING]);
}

#[test]
fn declarations_comments_doctypes_and_junk_between_elements_are_skipped() {
    let junk = "<?xml version='1.0'?> a > b < c <!-- <pingRequest uid='no'/> --> <!DOCTYPE d [<!ENTITY e '>'>]> </stray>\0";
    check(&format!("{junk}{PING}{junk}{PING}"), &[PING, PING]);
}

#[test]
fn a_comment_ends_only_at_its_dashes() {
    check(&format!("<!-->{PING}--> <!--->{PING} > - -> -->{PING}<!---->{PING}"), &[PING, PING]);
}

#[test]
fn comments_and_cdata_inside_an_element_stay_in_it() {
    let vector = "<newTextVector><!-- <pingRequest/> </newTextVector> --><oneText><![CDATA[</newTextVector><message/>]] ]]></oneText></newTextVector>";
    check(vector, &[vector]);
}

#[test]
fn quoted_values_may_hold_the_other_quote_and_a_tag_end() {
    let message = r#"<message a='x>"y/>' b="it's > /">text</message>"#;
    check(&format!("{message}{PING}"), &[message, PING]);
}

#[test]
fn unknown_elements_come_out_whole() {
    check(&format!("<INDI>{}</INDI>{PING}", "<x y='z'><x/></x>"), &["<INDI><x y='z'><x/></x></INDI>", PING]);
    check("<a/><_b />< c/><é></é>", &["<a/>", "<_b />", "<é></é>"]);
}

#[test]
fn a_protocol_element_never_nests() {
    check(
        &format!("<newTextVector name='a'><oneText>cut {PING}<b>{PING}"),
        &["!newTextVector: cut short by another element", PING, "!b: cut short by another element", PING],
    );
}

#[test]
fn an_element_cut_inside_a_tag_costs_only_itself() {
    for cut in
        ["<newTextVector na", "<newTextVector name='a", "<newTextVector><oneText", "<newTextVector></one"]
    {
        let out = split(format!("{cut}{PING}{PING}").as_bytes(), 5);
        assert_eq!(out.len(), 3, "{cut}: {out:?}");
        assert!(out[0].starts_with("!newTextVector: "), "{out:?}");
        assert_eq!(out[1..], [PING, PING]);
    }
}

#[test]
fn a_raw_less_than_in_a_value_is_reported_where_the_element_began() {
    let mut splitter = Splitter::new();
    let input = b"junk<newTextVector name='a<b'>x</newTextVector><message/>";
    splitter.space()[..input.len()].copy_from_slice(input);
    splitter.filled(input.len());
    let expected = Malformed { at: 4, what: "newTextVector".into(), why: "raw < in an attribute value" };
    assert_eq!(splitter.next_element(), Some(Err(expected)));
    assert_eq!(splitter.next_element(), Some(Ok(b"<message/>".as_slice())));
    assert_eq!(splitter.next_element(), None);
}

#[test]
fn a_further_loss_before_the_next_good_element_is_not_told() {
    let endless = "z".repeat(2 * MAX_ELEMENT);
    let input = format!("<a <b/><!--{endless}--></{endless}>{PING}");
    assert_eq!(split(input.as_bytes(), ROOM), ["!a: tag without an end", PING]);
}

#[test]
fn each_loss_is_told_where_its_element_began() {
    let mut splitter = Splitter::new();
    let input = b" <newTextVector><oneText><message><x><message/>";
    splitter.space()[..input.len()].copy_from_slice(input);
    splitter.filled(input.len());
    let mut losses = Vec::new();
    while let Some(element) = splitter.next_element() {
        losses.extend(element.err().map(|loss| (loss.at, loss.what)));
    }
    assert_eq!(losses, [(1, "newTextVector".to_owned()), (25, "message".to_owned())]);
}

#[test]
fn positions_count_discarded_bodies() {
    let mut splitter = Splitter::new();
    let input = b"<newBLOBVector><oneBLOB>AAAA</oneBLOB></newBLOBVector> <a <message/>";
    splitter.space()[..input.len()].copy_from_slice(input);
    splitter.filled(input.len());
    assert!(splitter.next_element().is_some_and(|element| element.is_ok()));
    assert_eq!(
        splitter.next_element(),
        Some(Err(Malformed { at: 55, what: "a".into(), why: "tag without an end" }))
    );
}

#[test]
fn the_closing_tag_of_a_protocol_element_ends_it_at_any_depth() {
    let vector = "<newTextVector><oneText>x</newTextVector >";
    check(&format!("{vector}{PING}"), &[vector, PING]);
}

#[test]
fn a_mismatched_closing_tag_of_6000_bytes_is_survived() {
    let vector = format!("<newTextVector><oneText>x</{}></newTextVector>", "y".repeat(6000));
    check(&format!("{vector}{PING}"), &[&vector, PING]);
}

#[test]
fn after_a_loss_unknown_elements_are_passed_over() {
    check(
        &format!("<a <b/><c d='{PING}'><newTextVector/>"),
        &["!a: tag without an end", PING, "<newTextVector/>"],
    );
}

#[test]
fn names_are_compared_whole() {
    check("<INDI><messages/><messag/></INDI>", &["<INDI><messages/><messag/></INDI>"]);
    check("<a><message/>", &["!a: cut short by another element", "<message/>"]);
}

#[test]
fn a_blob_comes_out_empty() {
    let blob = |body: &str| {
        format!(
            "<newBLOBVector device='D'><oneBLOB name='a>b' size='3'>{body}</oneBLOB><oneBLOB name='c'/>tail</newBLOBVector>"
        )
    };
    check(&format!("{}{PING}", blob("\nQUJD\n")), &[&blob(""), PING]);
    let big = format!("{}{PING}", blob(&"QUJD".repeat(3 << 20)));
    for size in [7, ROOM - 1] {
        assert_eq!(split(big.as_bytes(), size), [&blob(""), PING]);
    }
}

#[test]
fn a_blob_of_any_size_takes_no_memory() {
    let mut splitter = Splitter::new();
    let body = vec![b'A'; ROOM];
    for piece in [&b"<newBLOBVector><oneBLOB name='a'>"[..]].into_iter().chain([&body[..]; 1000]) {
        splitter.space()[..piece.len()].copy_from_slice(piece);
        splitter.filled(piece.len());
        assert_eq!(splitter.next_element(), None);
    }
    assert!(splitter.buffer.len() < 5 * ROOM, "{}", splitter.buffer.len());
}

#[test]
fn an_element_of_the_greatest_length_passes_and_one_byte_more_is_dropped_once() {
    let vector = |length: usize| {
        let frame = "<newTextVector></newTextVector>".len();
        format!("<newTextVector>{}</newTextVector>", "x".repeat(length - frame))
    };
    let whole = vector(MAX_ELEMENT);
    let long = vector(MAX_ELEMENT + 1);
    for size in [8, 1000, ROOM] {
        assert_eq!(split(format!("{whole}{PING}").as_bytes(), size), [whole.as_str(), PING]);
        let twice = format!("{long}<x>{}</x>{PING}", "y".repeat(2 * MAX_ELEMENT));
        assert_eq!(split(twice.as_bytes(), size), ["!newTextVector: longer than 1 MiB", PING]);
    }
}

#[test]
fn an_endless_value_name_or_comment_is_given_up() {
    for opening in ["<message a='", "<", "<!--", "</", "<?", "<message><![CDATA["] {
        let input = format!("{opening}{}{PING}", "z".repeat(2 * MAX_ELEMENT));
        let out = split(input.as_bytes(), ROOM);
        assert_eq!(out.len(), 2, "{opening}: {:?}", out.iter().map(|o| cut(o, 80)).collect::<Vec<_>>());
        assert!(out[0].ends_with("longer than 1 MiB") && out[0].len() < 100);
        assert_eq!(out[1], PING);
    }
}

#[test]
fn nesting_has_a_limit() {
    let nested = |depth: usize| format!("<newTextVector>{}", "<x>".repeat(depth - 1));
    let whole = format!("{}</newTextVector>", nested(MAX_DEPTH));
    check(&format!("{whole}{PING}"), &[&whole, PING]);
    check(
        &format!("{}</newTextVector><y/>{PING}", nested(MAX_DEPTH + 5)),
        &["!newTextVector: nested more than 8 deep", PING],
    );
}

#[test]
fn a_mebibyte_of_rubbish_is_told_once_and_costs_only_itself() {
    let mut seed = 1_u64;
    let rubbish = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 56) as u8
    });
    let input: Vec<u8> = rubbish.take(1 << 20).chain(PING.bytes()).collect();
    for size in [1, 1000, ROOM] {
        let out = split(&input, size);
        assert_eq!(out.last().map(String::as_str), Some(PING));
        assert!(out.len() < 10, "{out:?}");
    }
}

#[test]
fn space_is_offered_even_if_nobody_looks() {
    let mut splitter = Splitter::new();
    for _ in 0..10 {
        let space = splitter.space();
        assert!(space.len() >= ROOM);
        space[..ROOM].fill(b' ');
        splitter.filled(ROOM);
    }
    assert_eq!(splitter.next_element(), None);
}

/// Elements, and the text of each of their BLOBs, with the stream cut into pieces of this size.
fn pieces(stream: &[u8], size: usize) -> Vec<(String, Vec<(String, String)>)> {
    let mut splitter = Splitter::new();
    let mut elements = Vec::new();
    let mut blobs: Vec<(String, String)> = Vec::new();
    for part in stream.chunks(size) {
        splitter.space()[..part.len()].copy_from_slice(part);
        splitter.filled(part.len());
        while let Some(piece) = splitter.next_piece() {
            match piece {
                Ok(Piece::Body { blob, element, text }) => {
                    let before = String::from_utf8(element.to_vec()).unwrap();
                    blobs.resize(blob.max(blobs.len()), (String::new(), String::new()));
                    assert!(blobs[blob - 1].0.is_empty() || blobs[blob - 1].0 == before);
                    blobs[blob - 1].0 = before;
                    blobs[blob - 1].1.push_str(std::str::from_utf8(text).unwrap());
                }
                Ok(Piece::Element(element)) => {
                    elements.push((String::from_utf8(element.to_vec()).unwrap(), std::mem::take(&mut blobs)));
                }
                Err(_) => blobs.clear(),
            }
        }
    }
    elements
}

#[test]
fn the_text_of_blobs_comes_as_it_arrives_with_the_element_so_far() {
    let stream = "<setBLOBVector n='1'>\n<oneBLOB a='>'>QUJD\nREVG</oneBLOB><oneBLOB/><oneBLOB>R0hJ</oneBLOB>\n</setBLOBVector>\
                  <setBLOBVector n='2'><oneBLOB>lost<message/><setBLOBVector n='3'><oneBLOB>x</oneBLOB></setBLOBVector>";
    for size in [1, 7, stream.len()] {
        let first = (
            "<setBLOBVector n='1'>\n<oneBLOB a='>'></oneBLOB><oneBLOB/><oneBLOB></oneBLOB>\n</setBLOBVector>"
                .into(),
            vec![
                ("<setBLOBVector n='1'>\n<oneBLOB a='>'>".into(), "QUJD\nREVG".into()),
                (String::new(), String::new()),
                ("<setBLOBVector n='1'>\n<oneBLOB a='>'></oneBLOB><oneBLOB/><oneBLOB>".into(), "R0hJ".into()),
            ],
        );
        let last = (
            "<setBLOBVector n='3'><oneBLOB></oneBLOB></setBLOBVector>".into(),
            vec![("<setBLOBVector n='3'><oneBLOB>".into(), "x".into())],
        );
        assert_eq!(
            pieces(stream.as_bytes(), size),
            [first, ("<message/>".into(), Vec::new()), last],
            "by {size}"
        );
    }
}
