//! The little HTTP that there is, against servers that say exactly what a test wants them to.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::fault::Fault;
use super::http::{self, Answer, Http, Method, Patience, Request};

/// Long enough for anything that comes at all.
const SOON: Duration = Duration::from_secs(20);
/// Short enough to wait for something that never comes.
const BRIEF: Duration = Duration::from_millis(300);
const GET: Request<'static> = Request { method: Method::Get, path: "/x?a=1", body: "", accept: "a/b" };

/// A server that gives each connection to the next of `scenes`, and the way to it.
fn server<F: FnOnce(TcpStream) + Send + 'static>(scenes: Vec<F>) -> (Http, JoinHandle<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let http = Http::new(&listener.local_addr().unwrap().to_string());
    let thread = thread::spawn(move || {
        for scene in scenes {
            scene(listener.accept().unwrap().0);
        }
    });
    (http, thread)
}

/// Reads one request, which has no body.
fn request(mut stream: &TcpStream) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap()
}

/// A server that answers one request with these words and hangs up.
fn answering(words: &'static str) -> (Http, JoinHandle<()>) {
    server(vec![move |mut stream: TcpStream| {
        request(&stream);
        stream.write_all(words.as_bytes()).unwrap();
    }])
}

#[track_caller]
fn is_understood(words: &'static str, status: u16, content_type: &str, body: &[u8]) {
    let (mut http, thread) = answering(words);
    let answer = http.fetch(GET, SOON).unwrap();
    assert_eq!(answer, Answer { status, content_type: content_type.to_owned(), body: body.to_vec() });
    thread.join().unwrap();
}

#[track_caller]
fn fails(words: &'static str, why: &str) {
    let (mut http, thread) = answering(words);
    let fault = http.fetch(GET, SOON).unwrap_err();
    assert_eq!(fault.of("call", "").detail.replace("at  ", ""), format!("the Alpaca server {why}"));
    thread.join().unwrap();
}

#[test]
fn answers_of_every_form_are_understood() {
    let length = "HTTP/1.1 200 OK\r\nContent-Type: A/B; charset=utf-8\r\nContent-Length: 5\r\n\r\nhello";
    is_understood(length, 200, "a/b", b"hello");
    is_understood("HTTP/1.0 404 Not here\n\nhello", 404, "", b"hello");
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-ENCODING: chunked\r\n\r\n5;x=y\r\nhello\r\n0B\r\n over there\r\n0\r\nT: 1\r\n\r\n";
    is_understood(chunked, 200, "", b"hello over there");
    is_understood("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 None\r\n\r\n", 204, "", b"");
    is_understood("HTTP/1.1 500\r\nContent-Length: 0\r\n\r\n", 500, "", b"");
}

#[test]
fn what_is_no_answer_is_told_as_such() {
    fails("", "is gone: unexpected end of file");
    fails("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "is gone: the answer was cut short");
    fails(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhell",
        "is gone: the answer was cut short",
    );
    fails(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "is gone: unexpected end of file",
    );
    fails("SSH-2.0-OpenSSH\r\n\r\n", "answers with nonsense: SSH-2.0-OpenSSH is no HTTP");
    let length = "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n";
    fails(length, "answers with nonsense: -5 is no length");
    let huge = "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n";
    fails(huge, "answers with nonsense: an answer of 18446744073709551615 bytes is too long");
    let chunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n";
    fails(chunk, "answers with nonsense: an answer of 18446744073709551615 bytes is too long");
    let chunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhello\r\n";
    fails(chunk, "answers with nonsense: a chunk that is longer than it says");
    let chunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n";
    fails(chunk, "answers with nonsense: x is no length of a chunk");
}

#[test]
fn headers_without_an_end_do_not_fill_the_memory() {
    let (mut http, thread) = server(vec![|mut stream: TcpStream| {
        request(&stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        // Ends when the other side hangs up.
        while stream.write_all(b"More: of the same, and no end in sight\r\n").is_ok() {}
    }]);
    let fault = http.fetch(GET, SOON).unwrap_err();
    assert!(matches!(&fault, Fault::Nonsense(why) if why == "headers without an end"), "{fault:?}");
    thread.join().unwrap();
}

#[test]
fn one_connection_serves_many_requests() {
    let (mut http, thread) = server(vec![|mut stream: TcpStream| {
        for _ in 0..3 {
            let words = request(&stream);
            assert!(words.starts_with("GET /x?a=1 HTTP/1.1\r\nHost: 127.0.0.1:"), "{words}");
            assert!(words.contains("\r\nAccept: a/b\r\n"), "{words}");
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!").unwrap();
        }
    }]);
    for _ in 0..3 {
        assert_eq!(http.fetch(GET, SOON).unwrap().body, b"!");
    }
    thread.join().unwrap();
}

#[test]
fn a_connection_that_the_server_closed_is_made_anew() {
    let once = |mut stream: TcpStream| {
        request(&stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!").unwrap();
    };
    let (mut http, thread) = server(vec![once, once, once]);
    for _ in 0..3 {
        assert_eq!(http.fetch(GET, SOON).unwrap().body, b"!");
    }
    thread.join().unwrap();
}

/// A server that closes the second request's connection without a word, and answers the third.
fn forgetful() -> (Http, JoinHandle<()>) {
    fn answer(mut stream: &TcpStream) {
        request(stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!").unwrap();
    }
    let scene = |more: bool| {
        move |stream: TcpStream| {
            answer(&stream);
            if more {
                request(&stream);
            }
        }
    };
    server(vec![scene(true), scene(false)])
}

#[test]
fn what_only_reads_is_asked_again_on_a_new_connection() {
    let (mut http, thread) = forgetful();
    for _ in 0..2 {
        assert_eq!(http.fetch(GET, SOON).unwrap().body, b"!");
    }
    thread.join().unwrap();
}

#[test]
fn what_changes_something_is_never_asked_twice() {
    let (mut http, thread) = forgetful();
    http.fetch(GET, SOON).unwrap();
    let put = Request { method: Method::Put, body: "", ..GET };
    let fault = http.fetch(put, SOON).unwrap_err();
    assert!(matches!(fault, Fault::Gone(_)), "{fault:?}");
    http.fetch(GET, SOON).unwrap();
    thread.join().unwrap();
}

#[test]
fn nobody_waits_longer_than_the_limit_for_a_server_that_says_nothing() {
    // Until the other side hangs up.
    let (mut http, thread) = server(vec![|mut stream: TcpStream| drop(stream.read_to_end(&mut Vec::new()))]);
    let fault = http.fetch(GET, BRIEF).unwrap_err();
    assert!(matches!(fault, Fault::Slow(limit) if limit == BRIEF), "{fault:?}");
    thread.join().unwrap();
}

#[test]
fn where_nobody_listens_is_told_at_once() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut http = Http::new(&listener.local_addr().unwrap().to_string());
    drop(listener);
    assert!(matches!(http.fetch(GET, SOON).unwrap_err(), Fault::Gone(_)));
}

#[test]
fn a_body_that_nobody_wants_any_more_ends_the_wait() {
    let (mut http, thread) = server(vec![|mut stream: TcpStream| {
        request(&stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbegun").unwrap();
        let _ = stream.read(&mut [0]);
    }]);
    let mut told = Vec::new();
    let mut watch = |come: u64, of: Option<u64>| {
        told.push((come, of));
        if come == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let patience = Patience { limit: SOON, by_piece: true, watch: &mut watch };
    let fault = http.fetch_patiently(GET, patience).unwrap_err();
    assert!(matches!(fault, Fault::Unwanted), "{fault:?}");
    assert_eq!(told.last(), Some(&(5, Some(1000))));
    thread.join().unwrap();
}

#[test]
fn a_slow_body_may_take_its_time_as_long_as_it_comes() {
    const PIECES: usize = 12;
    let limit = Duration::from_secs(1);
    let (mut http, thread) = server(vec![move |mut stream: TcpStream| {
        request(&stream);
        stream.write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {PIECES}\r\n\r\n").as_bytes()).unwrap();
        for _ in 0..PIECES {
            stream.write_all(b"x").unwrap();
            thread::park_timeout(limit / 10);
        }
    }]);
    let mut watch = |_, _| ControlFlow::Continue(());
    // Each piece in time, all of them together not.
    let patience = Patience { limit, by_piece: true, watch: &mut watch };
    assert_eq!(http.fetch_patiently(GET, patience).unwrap().body, [b'x'; PIECES]);
    thread.join().unwrap();
}

/// `beginning`, then `again` for ever, or what comes to the same: more than anybody would keep.
#[track_caller]
fn ends_in_nonsense(beginning: &str, again: &str, why: &str) {
    let mut watch = |_, _| ControlFlow::Continue(());
    let patience = Patience { limit: SOON, by_piece: true, watch: &mut watch };
    let endless = again.repeat(300_000);
    let stream = beginning.as_bytes().chain(endless.as_bytes());
    match http::answer(stream, patience).unwrap_err() {
        Fault::Nonsense(told) => assert_eq!(told, why),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_server_that_never_comes_to_the_answer_is_given_up() {
    ends_in_nonsense("", "HTTP/1.1 100 Go on\r\n\r\n", "preliminary answers without an end");
}

#[test]
fn a_server_that_never_comes_to_the_end_of_its_answer_is_given_up() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
    ends_in_nonsense(chunked, "T: 1\r\n", "trailers without an end");
    ends_in_nonsense("HTTP/1.1 200 OK\r\n", "T: 1\r\n", "headers without an end");
}
