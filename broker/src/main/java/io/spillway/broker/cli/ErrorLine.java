package io.spillway.broker.cli;

import io.spillway.protocol.Code;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import org.jspecify.annotations.Nullable;

/** An error as a person sees it: {@code error: CODE: what; cause: why; next: next step}, and its exit code. */
record ErrorLine(String text, int exitCode) {

    static ErrorLine of(Throwable error) {
        if (error instanceof io.spillway.client.SpillwayException e) {
            Code code = Code.of(e.code());
            return of(e.reason(), e.what(), e.why(), orHint(e.nextStep(), code), ExitCode.of(code));
        }
        if (error instanceof io.spillway.broker.base.SpillwayException e) {
            return of(e.code().name(), e.what(), e.why(), orHint(e.nextStep(), e.code()), ExitCode.of(e.code()));
        }
        if (error instanceof PublishFailedException e) {
            return new ErrorLine(of(e.first()).text(), ExitCode.FAILURE);
        }
        if (error instanceof UsageException e) {
            return of("USAGE", e.what(), e.why(), e.nextStep(), ExitCode.USAGE);
        }
        if (error instanceof UncheckedIOException e && e.getCause() != null) {
            return of(e.getCause());
        }
        if (error instanceof IOException e) {
            return ofIo(e);
        }
        return of(
                "INTERNAL",
                error.toString(),
                "a case this command does not know",
                "run it again with --verbose and report what it prints",
                ExitCode.FAILURE);
    }

    static ErrorLine of(String code, String what, String why, String nextStep, int exitCode) {
        StringBuilder line =
                new StringBuilder("error: ").append(code).append(": ").append(oneLine(what));
        if (!why.isEmpty()) {
            line.append("; cause: ").append(oneLine(why));
        }
        if (!nextStep.isEmpty()) {
            line.append("; next: ").append(oneLine(nextStep));
        }
        return new ErrorLine(line.toString(), exitCode);
    }

    private static ErrorLine ofIo(IOException e) {
        String message = e.getMessage() == null ? e.toString() : e.getMessage();
        if (e instanceof NoSuchFileException) {
            return of("IO_ERROR", message, "there is no such file", "check the path", ExitCode.FAILURE);
        }
        if (e instanceof AccessDeniedException) {
            return of("IO_ERROR", message, "access is denied", "check who may read it", ExitCode.FAILURE);
        }
        return of(
                "IO_ERROR",
                "reading or writing failed",
                message,
                "check the file, the pipe or the terminal",
                ExitCode.FAILURE);
    }

    private static String orHint(String nextStep, @Nullable Code code) {
        if (!nextStep.isEmpty() || code == null) {
            return nextStep;
        }
        return switch (ExitCode.of(code)) {
            case ExitCode.UNREACHABLE -> "check that a broker runs at --endpoint, or give it more time with --wait";
            case ExitCode.NOT_FOUND -> "see spillway topic list and spillway group list";
            case ExitCode.REFUSED -> "try again later";
            default -> "";
        };
    }

    private static String oneLine(String text) {
        return text.strip().replaceAll("\\s*[\\r\\n]+\\s*", " ");
    }
}
