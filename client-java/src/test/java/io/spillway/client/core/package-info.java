@NullMarked
package io.spillway.client.core;

import org.jspecify.annotations.NullMarked;
