//! The 25 calls by the client library, which makes them of the standard properties alone, held to the same table as
//! every other way to make them.

use indi_camera::camera::json;
use serde_json::{Value as Json, json};
use tokio::runtime::Handle;

use super::*;
use crate::support::Limit;
use crate::support::calls_table::{Way, every_call_gives_its_documented_keys, every_refusal_has_its_code};

struct Library {
    runtime: Handle,
    camera: Camera,
    _home: Folder,
}

impl Library {
    fn new() -> Library {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let handle = runtime.handle().clone();
        // What comes in is heard also between two calls, as in a program that has more to do.
        std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
        let home = Folder::new();
        let camera = handle.block_on(async { start(&home).await.camera(DEVICE) });
        Library { runtime: handle, camera, _home: home }
    }
}

impl Way for Library {
    fn call(&mut self, name: &str, params: &Json) -> Json {
        let answer = match json::params("call", &params.to_string()) {
            Ok(params) => self.runtime.block_on(self.camera.by_name(name, &params)),
            Err(error) => indi_camera::camera::answer::Answer::from(&error),
        };
        serde_json::to_value(answer).unwrap()
    }

    fn until_idle(&mut self) {
        let limit = Limit::after(support::SOON);
        while self.call("get_exposure_status", &json!({}))["params"]["status"] != false {
            assert!(limit.left().is_some(), "the exposure does not end");
        }
    }
}

#[test]
fn every_call_of_the_library_gives_its_documented_keys() {
    every_call_gives_its_documented_keys(&mut Library::new());
}

#[test]
fn every_refusal_of_the_library_has_its_code() {
    every_refusal_has_its_code(&mut Library::new());
}
