@NullMarked
package io.spillway.client;

import org.jspecify.annotations.NullMarked;
