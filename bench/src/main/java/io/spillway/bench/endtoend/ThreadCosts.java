package io.spillway.bench.endtoend;

import com.sun.management.ThreadMXBean;
import com.sun.tools.attach.AttachNotSupportedException;
import com.sun.tools.attach.VirtualMachine;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;
import org.jspecify.annotations.Nullable;

/**
 * Bytes allocated and CPU time used so far by the threads of a JVM whose names begin with "spillway-", as the JVM counts
 * them per thread: exact, and without what compilation, collection and this measurement itself cost.
 */
final class ThreadCosts implements AutoCloseable {
    private static final String PREFIX = "spillway-";

    /** What these threads have cost since they started. */
    record Costs(long allocatedBytes, long ioCpuNs, long shardCpuNs, long otherCpuNs) {
        Costs since(Costs earlier) {
            return new Costs(
                    allocatedBytes - earlier.allocatedBytes,
                    ioCpuNs - earlier.ioCpuNs,
                    shardCpuNs - earlier.shardCpuNs,
                    otherCpuNs - earlier.otherCpuNs);
        }
    }

    private final JMXConnector connector;
    private final ThreadMXBean threads;

    private ThreadCosts(JMXConnector connector, ThreadMXBean threads) {
        this.connector = connector;
        this.threads = threads;
    }

    /** Of the JVM with that process id, which must belong to the same user. */
    @SuppressWarnings("BanJNDI") // the address comes from our own child
    static ThreadCosts of(long pid) throws IOException {
        try {
            VirtualMachine machine = VirtualMachine.attach(Long.toString(pid));
            String url = machine.startLocalManagementAgent();
            machine.detach();
            JMXConnector connector = JMXConnectorFactory.connect(new JMXServiceURL(url));
            return new ThreadCosts(
                    connector,
                    ManagementFactory.newPlatformMXBeanProxy(
                            connector.getMBeanServerConnection(),
                            ManagementFactory.THREAD_MXBEAN_NAME,
                            ThreadMXBean.class));
        } catch (AttachNotSupportedException e) {
            throw new IOException("cannot attach to the JVM " + pid, e);
        }
    }

    Costs now() {
        long[] ids = threads.getAllThreadIds();
        @Nullable ThreadInfo[] infos = threads.getThreadInfo(ids);
        long[] allocated = threads.getThreadAllocatedBytes(ids);
        long[] cpuNs = threads.getThreadCpuTime(ids);
        Costs sum = new Costs(0, 0, 0, 0);
        for (int i = 0; i < ids.length; i++) {
            ThreadInfo info = infos[i];
            if (info != null && info.getThreadName().startsWith(PREFIX)) {
                sum = plus(sum, info.getThreadName().substring(PREFIX.length()), allocated[i], cpuNs[i]);
            }
        }
        return sum;
    }

    private static Costs plus(Costs sum, String thread, long allocated, long cpuNs) {
        boolean io = thread.startsWith("io");
        boolean shard = thread.startsWith("shard");
        return new Costs(
                sum.allocatedBytes + allocated,
                sum.ioCpuNs + (io ? cpuNs : 0),
                sum.shardCpuNs + (shard ? cpuNs : 0),
                sum.otherCpuNs + (io || shard ? 0 : cpuNs));
    }

    @Override
    public void close() throws IOException {
        connector.close();
    }
}
