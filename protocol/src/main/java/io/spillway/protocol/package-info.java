/** The wire protocol: preface, frames, record batches, error codes. One copy for broker and clients. */
@NullMarked
package io.spillway.protocol;

import org.jspecify.annotations.NullMarked;
