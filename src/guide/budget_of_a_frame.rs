//! Where the milliseconds of a frame go, from the shutter to the client.
//!
//! Measured with the simulator's test pattern (whose read-out is a copy) after exposures of 50 ms, on a virtual machine
//! of two cores; medians of 15 frames, 16 bit, FITS, on a socket. Times are ms after the shutter has closed. The log
//! says the same of any camera: `RUST_LOG=indi_camera=trace`.
//!
//! | until | who | 1280 × 1024 | 4656 × 3520 | 9576 × 6388 |
//! |---|---|---|---|---|
//! | the camera thread wakes up, asks and has the frame | [`camera::worker`](crate::camera::worker) | 0.4 | 0.4 | 0.4 |
//! | the device has decided what becomes of it | [`device`](crate::device) | 0.6 | 0.6 | 0.5 |
//! | it is a file in shared memory, with checksums | [`delivery`](crate::delivery) | 1.3 | 5.8 | 14.3 |
//! | the message and its descriptor are with the reader | [`host::stdio`](crate::host::stdio) | 1.5 | 6.3 | 14.8 |
//!
//! Before that, 0.3 ms pass from the client's request to the call of the camera, and the shutter opens that much later.
//!
//! # The floor
//!
//! What remains is one pass over the pixels, which swaps their bytes and adds them up. On the same machine the plain loop
//! in C without the sum takes 0.06, 3.0 and 14.0 ms of it into memory that was used before. Into new memory it takes 2.2,
//! 28 and 115 ms, because the kernel has to find and clear every page: this is why memory goes round.
//!
//! * A camera gets the pixel memory of the frame before ([`camera::spare`](crate::camera::spare)): without it a read-out of
//!   61 million pixels took 50 ms more than its copy, all of them in the kernel.
//! * A file in shared memory is lent with its message, and written again when the kernel says that nobody can see it any
//!   more ([`delivery::blob`](crate::delivery::blob)). Where it does not come back in time, because a client still looks at
//!   it, new memory is made while the next exposure runs. The memory of what goes through a pipe comes back when it is
//!   written: that takes 12 of 31 ms of processor time off a frame of 16 million pixels.
//!
//! The rest are wake-ups: a frame goes through five threads, and each hand-over takes 0.1 ms, up to 0.2 on a busy machine.
//! They are the price of a camera, a disk or a client that hangs and of nobody else noticing.
//!
//! # Waiting for a processor
//!
//! That is what frames and answers wait for on a busy machine. What `perf sched` shows of a frame that is 5 ms late, or of
//! an answer that takes as long while 61 million pixels go out, is always the same: one of the threads on the way, or
//! the client, is ready to run and behind a thread that computes. Linux looks for an idle processor only in the moment of
//! the wake-up, and lets a thread that has just had a turn go first only when the other one has had as much; it looks
//! at both again at the clock tick, 250 times a second here. So each wake-up within a burst of them has a chance of some
//! percent to cost 4 ms, even if the other processor has nothing to do ten microseconds later, and neither short time
//! slices for the driver's threads nor less weight for those that compute (`nice`) change much about it.
//!
//! A write takes four of these wake-ups until its answer is with the client: reader, loop, writer and the client itself. A
//! driver that reads, decides and writes in one thread has two. The reader and the writer are what lets the device go
//! on when the server does not read, and when it writes without end.
//!
//! | 0.1 s on two busy processors | p99 | worst, ms |
//! |---|---|---|
//! | the driver, until the picture is with the client | 5.7 | 7.8 |
//! | the same, its threads at real-time priority | 5.0 | 5.2 |
//! | the same, and the client too | 1.0 | 1.1 |
//! | a C program that sleeps as long and writes one byte | 4.2 | 8.3 |
//!
//! For the same reason a line of the log wakes nobody while no client listens to it: it woke the loop in the middle of each
//! read-out, and the thread that had written it waited a tick for its next turn.
//!
//! # Back to back
//!
//! An exposure of 20 ms of 1280 × 1024 pixels, and the next one as soon as the frame is Ok, µs: 130 from the request to
//! the call of the camera, 20 000 exposure, 60 until the timer has woken its thread, 90 for the device and the header, 400
//! for the pass (the pixels were written 20 ms ago and are in no cache), 120 for the hand-overs to the client, 400 until
//! the client asks for the next one.
//!
//! # What costs more
//!
//! * Memory is two frames, one of pixels and one of the file, and about 14 MiB; three or four while frames follow each
//!   other without a pause.
//! * `.fits.fz` takes 25 ms more for 16 million pixels: two threads at the Rice coder, which puts four codes at a time.
//! * Binning that the camera cannot do itself is a pass more, in the memory of the frame; a window that it cannot do is
//!   none ([`image::window`](crate::image::window)).
//! * On a pipe, and for clients on TCP behind indiserver, base64 and the copies of pipe and socket cost more than all of
//!   this together.
//! * A frame that is saved or spooled is hashed while it is written, and synced before anybody is told.
//!
//! `benches/compare.py` measures a driver beside another one; `cargo bench` the parts.
