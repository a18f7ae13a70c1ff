//! Placeholder.
use crate::camera::Camera;
/// A simulated camera.
pub struct Simulator;
impl Simulator {
    /// New.
    pub fn new() -> Self {
        Simulator
    }
}
impl Camera for Simulator {
    fn scanning(&mut self) -> crate::camera::error::Result<Vec<crate::camera::types::CameraId>> {
        todo!()
    }
    fn connect(
        &mut self,
        _: &crate::camera::types::CameraId,
    ) -> crate::camera::error::Result<crate::camera::types::Capabilities> {
        todo!()
    }
    fn disconnect(&mut self) -> crate::camera::error::Result<()> {
        todo!()
    }
    fn start_exposure(
        &mut self,
        _: &crate::camera::types::ExposureRequest,
    ) -> crate::camera::error::Result<()> {
        todo!()
    }
    fn abort_exposure(&mut self) -> crate::camera::error::Result<()> {
        todo!()
    }
    fn get_exposure_status(&mut self) -> crate::camera::error::Result<crate::camera::types::ExposureStatus> {
        todo!()
    }
    fn get_exposure_result(&mut self) -> crate::camera::error::Result<crate::image::Frame> {
        todo!()
    }
    fn get_camera_roi(&mut self) -> crate::camera::error::Result<crate::image::Roi> {
        todo!()
    }
    fn set_camera_roi(&mut self, _: crate::image::Roi) -> crate::camera::error::Result<crate::image::Roi> {
        todo!()
    }
    fn get_binning(&mut self) -> crate::camera::error::Result<crate::image::Binning> {
        todo!()
    }
    fn set_binning(
        &mut self,
        _: crate::image::Binning,
    ) -> crate::camera::error::Result<crate::image::Binning> {
        todo!()
    }
}
