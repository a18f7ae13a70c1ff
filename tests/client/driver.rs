//! A driver that the client has started: no server anywhere.

use indi_camera::camera::types::Pixels;
use indi_camera::camera::wish::ExposureWish;

use super::*;

#[test]
fn a_frame_is_taken_without_any_server() {
    run(async {
        let home = Folder::new();
        let server = driver(&home).await;
        assert_eq!(server.scanning().await.unwrap().camera, [DEVICE]);
        let camera = server.camera(DEVICE);
        let mut phases = Vec::new();
        let shot = camera
            .capture(&ExposureWish::of(0.3), |progress| {
                if phases.last() != Some(&progress.phase) {
                    phases.push(progress.phase);
                }
            })
            .await
            .unwrap();
        println!("{phases:?}");
        let frame = shot.frame().await.unwrap();
        assert_eq!(frame.pixels.shape(), (1, 1024, 1280));
        assert!(matches!(frame.pixels, Pixels::U16(_)));
        assert_eq!(frame.header.number("EXPTIME"), Some(0.3));
        println!("{:#?}", frame.info);
        server.close().await;
    });
}
