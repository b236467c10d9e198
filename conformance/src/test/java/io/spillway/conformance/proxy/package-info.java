/** A TCP proxy between clients and broker that does to their traffic what networks and other releases do. */
@NullMarked
package io.spillway.conformance.proxy;

import org.jspecify.annotations.NullMarked;
