/** Who reaches whom: real interfaces in namespaces, or proxies on loopback. */
@NullMarked
package io.spillway.chaos.network;

import org.jspecify.annotations.NullMarked;
