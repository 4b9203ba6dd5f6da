//! Reads a stream in steps, which takes fewer turns of the event loop than reading its chunks.

use crate::object::method;
use worker::js_sys::{Object, Promise, Reflect, Uint8Array};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Error, Result};

/// The reader of a stream.
pub(super) struct Steps {
    reader: JsValue,
    /// The memory of a step; `None` for a stream that a Worker has made without it. Such a stream
    /// is read by its chunks.
    buffer: Option<Uint8Array>,
}

impl Steps {
    /// Returns a reader whose steps take up to `bytes`.
    pub(super) fn of(stream: &JsValue, bytes: usize) -> Result<Self> {
        let get_reader = method(stream, "getReader")?;
        let options = Object::new();
        Reflect::set(&options, &JsValue::from_str("mode"), &JsValue::from_str("byob"))?;
        if let Ok(reader) = get_reader.call1(stream, &options) {
            let buffer = Some(Uint8Array::new_with_length(bytes as u32));
            return Ok(Self { reader, buffer });
        }
        Ok(Self { reader: get_reader.call0(stream)?, buffer: None })
    }

    /// Reads the next `wanted` bytes, and adds them to `body`. At the end of the stream, there may
    /// be fewer. Returns whether the stream may go on.
    pub(super) async fn read(&mut self, wanted: usize, body: &mut Vec<u8>) -> Result<bool> {
        let (come, goes_on) = self.step(wanted).await?;
        let Some(come) = come else { return Ok(goes_on) };
        let at = body.len();
        body.resize(at + come.length() as usize, 0);
        if let Some(end) = body.get_mut(at..) {
            come.copy_to(end);
        }
        self.keep(&come);
        Ok(goes_on)
    }

    /// Reads the next `wanted` bytes, and drops them. Returns whether the stream may go on.
    pub(super) async fn skip(&mut self, wanted: usize) -> Result<bool> {
        let (come, goes_on) = self.step(wanted).await?;
        if let Some(come) = come {
            self.keep(&come);
        }
        Ok(goes_on)
    }

    /// Uses the memory of a step again.
    fn keep(&mut self, come: &Uint8Array) {
        if let Some(buffer) = &mut self.buffer {
            *buffer = Uint8Array::new(&come.buffer());
        }
    }

    async fn step(&mut self, wanted: usize) -> Result<(Option<Uint8Array>, bool)> {
        let step = match &self.buffer {
            Some(buffer) => method(&self.reader, "readAtLeast")?.call2(
                &self.reader,
                &JsValue::from(wanted as u32),
                &buffer.subarray(0, wanted as u32),
            ),
            None => method(&self.reader, "read")?.call0(&self.reader),
        };
        let step = JsFuture::from(step?.dyn_into::<Promise>()?).await?;
        let value = Reflect::get(&step, &JsValue::from_str("value"))?;
        let is_end = Reflect::get(&step, &JsValue::from_str("done"))?.is_truthy();
        match value.dyn_into::<Uint8Array>() {
            Ok(come) => Ok((Some(come), !is_end)),
            Err(_) if is_end => Ok((None, false)),
            Err(_) => Err(Error::from("the stream has a chunk that is not bytes")),
        }
    }
}
