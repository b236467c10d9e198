/** Shows what a client does in a Micrometer registry; needs micrometer-core, which the client itself does not bring. */
@NullMarked
package io.spillway.client.micrometer;

import org.jspecify.annotations.NullMarked;
