/** Ground floor: time, identifiers, errors. Imports nothing of ours but the protocol. */
@NullMarked
package io.spillway.broker.base;

import org.jspecify.annotations.NullMarked;
