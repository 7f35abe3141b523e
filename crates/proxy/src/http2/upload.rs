//! The content of a request on its way to a server.

use std::pin::Pin;
use std::task::Poll;

use bytes::Bytes;
use futures_util::future::poll_fn;
use h2::SendStream;
use http_body::Body as _;

use crate::upload::Upload;

/// Sends it as the server takes it. A server that wants no more of it ends it without harm: what it answers counts.
///
/// # Errors
///
/// If the client does not send it to its end; the upload's watch knows why.
pub(super) async fn send(mut upload: Upload, mut send: SendStream<Bytes>) -> Result<(), ()> {
    loop {
        let next = poll_fn(|cx| {
            if send.poll_reset(cx).is_ready() {
                return Poll::Ready(None);
            }
            Pin::new(&mut upload).poll_frame(cx).map(Some)
        });
        let Some(frame) = next.await else { return Ok(()) };
        let frame = match frame {
            Some(Ok(frame)) => frame,
            Some(Err(_)) => return Err(()),
            None => {
                let _ = send.send_data(Bytes::new(), true);
                return Ok(());
            }
        };
        match frame.into_data() {
            Ok(data) => {
                let ends = upload.is_end_stream();
                if !send_data(&mut send, data, ends).await || ends {
                    return Ok(());
                }
            }
            Err(frame) => {
                if let Ok(trailers) = frame.into_trailers() {
                    let _ = send.send_trailers(trailers);
                }
                return Ok(());
            }
        }
    }
}

/// `false` if the server takes no more.
async fn send_data(send: &mut SendStream<Bytes>, mut data: Bytes, ends: bool) -> bool {
    while !data.is_empty() {
        send.reserve_capacity(data.len());
        while send.capacity() == 0 {
            let Some(Ok(_)) = poll_fn(|cx| send.poll_capacity(cx)).await else { return false };
        }
        let capacity = send.capacity();
        let piece = data.split_to(capacity.min(data.len()));
        let last = ends && data.is_empty();
        if !piece.is_empty() && send.send_data(piece, last).is_err() {
            return false;
        }
    }
    true
}
