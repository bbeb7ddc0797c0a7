"""The section of docs/performance.md that follows a frame: sources/, framing.py and detectors/ must agree with it."""

BYTES = """
## Where each byte goes

Into the Frame, which owns one grey array, one byte a pixel:

- picamera2: the buffer of the lores stream is mapped, its luma rows are copied once without their padding, and the
  buffer goes back at once. Colour is never touched. The main stream, which picamera2 insists on, has the same size and
  is not read.
- USB camera, raw formats: OpenCV hands out the camera's bytes; the luma in them is copied once. All but GREY have their
  black at 16 and their white at 235; the copy is stretched to 0..255 in place.
- USB camera, MJPEG; folder of pictures: decoded straight to grey, and that array is the Frame's.
- Other cameras, streams, video files: OpenCV decodes to three colours in its own buffer; one conversion to grey makes
  the Frame's array.

From the Frame on:

- Mailbox between capture and main thread: nothing is copied, the array itself is handed over. The watch for a frozen
  picture keeps the newest frame, and looks at every 16th pixel of every 16th row.
- Detector `faces`: the frame shrunk to fit the net's input, by halves: each is a new array of a quarter of the bytes,
  and 2 x 2 pixels are what OpenCV averages fastest; that laid into a black picture of the input's size; that
  with the top bit of every byte flipped (int8). A frame that is not larger than the input is not shrunk.
- Detector `faces`, second look: up to 12 pieces of the frame (48 at an input of 640), each shrunk in the same way or
  enlarged into a black sheet of the input's size; that with its top bits flipped.
- Detectors `haar` and `yunet`: shrunk copies in the same way; `yunet` makes three colours of it.
- A known face that the detector missed: a patch of 160 x 160, given to the detector.
- Each face: a 96 x 96 and a 48 x 48 crop, sampled from the frame. Where a crop shrinks the frame by 2 or more, the part
  of the frame that it shows is averaged first, by halves, until it is at most about twice as wide and high as the crop.
  The rest of the frame is not read.
- Each net: the 48 x 48 crop is enlarged to 96 x 96; a crop becomes int8 in a new array, its top bits flipped; the
  interpreter copies that in and its answers out.
- Events: numbers, encoded once however many sinks there are.
- Page with a picture: the newest frame is kept as it is, and shrunk and encoded as JPEG when a browser asks, once for
  all browsers.

The detector runs every `detector.every_n_frames` frames, and early when a face needs it. The rest is done for every
face of every frame.
"""
