/**
 * Who somebody is and what he may do: credentials, tokens, rules, and the files of TLS. Knows no connection; whoever has one asks
 * here.
 */
@NullMarked
package io.spillway.broker.auth;

import org.jspecify.annotations.NullMarked;
