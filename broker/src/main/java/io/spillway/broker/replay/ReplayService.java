package io.spillway.broker.replay;

import io.spillway.broker.base.Published;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.shard.Reply;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.ReplayAdmin;
import io.spillway.protocol.v1.ReplayList;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The replays of a broker while it decides: always when it stands alone, in a cluster while it leads. Their jobs are
 * records, so that the next leader goes on with them. {@code request} is thread-safe; {@code start} and {@code close}
 * belong to one thread.
 */
public final class ReplayService implements AutoCloseable {
    private final Supplier<Replays> starter;
    private final Published<Optional<Replays>> running = new Published<>(Optional.empty());

    public ReplayService(Supplier<Replays> starter) {
        this.starter = starter;
    }

    /** Takes up the jobs there are; nothing when they run already. */
    public void start() {
        if (running.get().isEmpty()) {
            running.set(Optional.of(starter.get()));
        }
    }

    /** As {@link Replays#request}; refused with NOT_LEADER while another node decides. */
    public void request(ReplayAdmin request, ReplayCaller caller, Reply<ReplayList> reply) {
        Replays now = running.get().orElse(null);
        if (now == null) {
            reply.failed(new SpillwayException(
                    Code.NOT_LEADER, "this node runs no replays", "another node leads the cluster", "ask the leader"));
        } else {
            now.request(request, caller, reply);
        }
    }

    /** How far the jobs that run here are. */
    public ReplayProgress progress() {
        return running.get().map(Replays::progress).orElse(ReplayProgress.NONE);
    }

    /** Stops; jobs go on where they are started next. */
    @Override
    public void close() {
        Optional<Replays> now = running.get();
        running.set(Optional.empty());
        now.ifPresent(Replays::close);
    }
}
