//! Bodies that are written in pieces, as streams of the runtime.
//!
//! A panic ends the program, and nobody would write the next piece. The reader would wait for it
//! until another event of the isolate ends the old events, which may take hours. So such a stream
//! fails when a panic ends the program, and its reader begins another one.

use crate::object::method;
use crate::program_end::until_end;
use futures::StreamExt;
use futures::channel::oneshot;
use futures::stream::{LocalBoxStream, Stream};
use std::cell::RefCell;
use std::rc::Rc;
use worker::js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array, global};
use worker::wasm_bindgen::closure::Closure;
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::{Result, web_sys::ReadableStream};

/// Returns the runtime's stream of the pieces of a text. Nothing is written while the reader does not
/// read. If the reader leaves, `text` is dropped.
///
/// # Errors
/// Returns an error if the runtime has no streams.
pub fn text_stream(text: impl Stream<Item = String> + 'static) -> Result<ReadableStream> {
    let (leave, left) = oneshot::channel::<()>();
    let text: LocalBoxStream<'static, String> = text.take_until(left).boxed_local();
    // The runtime asks for one piece at a time. Meanwhile the stream is taken out.
    let rest = Rc::new(RefCell::new(Some(text)));
    let of_reader = Rc::clone(&rest);
    // A panic of the program ends both, so neither can be found in a bad state.
    let pull =
        Closure::<dyn FnMut(JsValue) -> Promise>::own_assert_unwind_safe(move |controller| {
            let rest = Rc::clone(&of_reader);
            until_end(async move |_| write_piece(&rest, &controller).await)
        });
    let mut leave = Some(leave);
    let cancel = Closure::<dyn FnMut()>::own_assert_unwind_safe(move || {
        rest.take();
        leave.take();
    });
    let source = Object::new();
    Reflect::set(&source, &JsValue::from_str("pull"), &pull.into_js_value())?;
    Reflect::set(&source, &JsValue::from_str("cancel"), &cancel.into_js_value())?;
    // Without this, the runtime would ask for a piece before the reader does.
    let strategy = Object::new();
    Reflect::set(&strategy, &JsValue::from_str("highWaterMark"), &JsValue::from_f64(0.0))?;
    let class: Function =
        Reflect::get(&global(), &JsValue::from_str("ReadableStream"))?.dyn_into()?;
    Ok(Reflect::construct(&class, &Array::of2(&source, &strategy))?.dyn_into()?)
}

/// Writes the next piece, or ends the stream.
async fn write_piece(
    rest: &RefCell<Option<LocalBoxStream<'static, String>>>,
    controller: &JsValue,
) {
    let Some(mut text) = rest.take() else { return };
    let piece = text.next().await;
    // A stream that its reader has left refuses both, and is over.
    let written = match piece {
        Some(piece) => {
            rest.replace(Some(text));
            let bytes = Uint8Array::from(piece.as_bytes());
            method(controller, "enqueue").map(|enqueue| enqueue.call1(controller, &bytes))
        }
        None => method(controller, "close").map(|close| close.call0(controller)),
    };
    if !matches!(written, Ok(Ok(_))) {
        rest.take();
    }
}
