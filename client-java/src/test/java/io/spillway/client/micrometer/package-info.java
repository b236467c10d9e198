@NullMarked
package io.spillway.client.micrometer;

import org.jspecify.annotations.NullMarked;
